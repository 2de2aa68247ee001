import { levelDisk, memoryDisk } from '../support/store-disks.ts';
import { journalChoiceContract } from './journal-choice.contract.ts';
import { journalFailureContract } from './journal-failure.contract.ts';
import { journalSwitchContract } from './journal-switch.contract.ts';
import { journalContract } from './journal.contract.ts';

journalContract('memory', memoryDisk);
journalContract('level', levelDisk);
journalFailureContract('memory', memoryDisk);
journalFailureContract('level', levelDisk);
journalChoiceContract('memory', memoryDisk);
journalChoiceContract('level', levelDisk);
journalSwitchContract('memory', memoryDisk);
journalSwitchContract('level', levelDisk);
