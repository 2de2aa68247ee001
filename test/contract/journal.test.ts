import { levelDisk, memoryDisk } from '../support/store-disks.ts';
import { journalContract } from './journal.contract.ts';

journalContract('memory', memoryDisk);
journalContract('level', levelDisk);
