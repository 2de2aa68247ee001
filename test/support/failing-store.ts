import type { KeyValueStore } from '../../daemon/session/store.ts';

/** What becomes of one write: nothing of it lands, all of it lands but is told as failed, or it never answers. */
export type WriteFate = 'ok' | 'fails' | 'lands and fails' | 'hangs';

/** Any store, with the fate of each write decided by its number, from 1. */
export function failing(
  store: KeyValueStore,
  fateOf: (write: number) => WriteFate,
): KeyValueStore & { readonly writes: () => number } {
  let writes = 0;
  return {
    writes: () => writes,
    get: (key) => store.get(key),
    read: (range) => store.read(range),
    write: async (operations) => {
      writes += 1;
      const fate = fateOf(writes);
      if (fate === 'ok' || fate === 'lands and fails') await store.write(operations);
      if (fate === 'hangs') await new Promise(() => undefined);
      if (fate !== 'ok') throw new Error('EIO');
    },
    [Symbol.asyncDispose]: async () => {
      await store[Symbol.asyncDispose]();
    },
  };
}
