import { join } from 'node:path';
import { openLevelStore } from '../../daemon/session/level-store.ts';
import type { StoreDisk } from '../contract/journal-store.contract.ts';
import { MemoryDisk } from './memory-store.ts';
import { tempFolder } from './temp-folder.ts';

export function memoryDisk(): Promise<StoreDisk> {
  const disk = new MemoryDisk();
  return Promise.resolve({
    open: () => Promise.resolve(disk.open()),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
}

/** Stores that are still open are for their owners to close first. */
export async function levelDisk(): Promise<StoreDisk> {
  const folder = await tempFolder();
  const path = join(folder.path, 'level');
  let made = false;
  return {
    open: async () => {
      const store = await openLevelStore(path, made ? 'refuse' : 'create');
      made = true;
      return store;
    },
    [Symbol.asyncDispose]: async () => {
      await folder[Symbol.asyncDispose]();
    },
  };
}
