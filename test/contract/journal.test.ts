import { levelDisk, memoryDisk } from '../support/store-disks.ts';
import { journalFailureContract } from './journal-failure.contract.ts';
import { journalContract } from './journal.contract.ts';

journalContract('memory', memoryDisk);
journalContract('level', levelDisk);
journalFailureContract('memory', memoryDisk);
journalFailureContract('level', levelDisk);
