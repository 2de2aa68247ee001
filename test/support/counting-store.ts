import type { KeyValueStore } from '../../daemon/session/store.ts';

/** What was asked of a store: a value counts with the bytes of its key. */
export type StoreCounts = {
  gets: number;
  valuesRead: number;
  bytesRead: number;
  writes: number;
  operations: number;
  bytesWritten: number;
};

export type CountingStore = KeyValueStore & {
  /** What was counted since the last call. */
  readonly take: () => StoreCounts;
};

/** Any store, with a count of what it is asked for. */
export function counting(store: KeyValueStore): CountingStore {
  let counts = nothing();
  const read = (key: string, value: Uint8Array | undefined): void => {
    counts.valuesRead += 1;
    counts.bytesRead += Buffer.byteLength(key) + (value?.length ?? 0);
  };
  return {
    take: () => {
      const taken = counts;
      counts = nothing();
      return taken;
    },
    get: async (key) => {
      const value = await store.get(key);
      counts.gets += 1;
      read(key, value);
      return value;
    },
    read: async function* (range) {
      for await (const stored of store.read(range)) {
        read(stored.key, stored.value);
        yield stored;
      }
    },
    write: async (operations) => {
      counts.writes += 1;
      for (const operation of operations) {
        counts.operations += 1;
        counts.bytesWritten += Buffer.byteLength(operation.key);
        if (operation.kind === 'put') counts.bytesWritten += operation.value.length;
      }
      await store.write(operations);
    },
    [Symbol.asyncDispose]: async () => {
      await store[Symbol.asyncDispose]();
    },
  };
}

function nothing(): StoreCounts {
  return { gets: 0, valuesRead: 0, bytesRead: 0, writes: 0, operations: 0, bytesWritten: 0 };
}
