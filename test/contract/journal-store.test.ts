import { levelDisk, memoryDisk } from '../support/store-disks.ts';
import { journalStoreContract } from './journal-store.contract.ts';

journalStoreContract('memory', memoryDisk);
journalStoreContract('level', levelDisk);
