import type { KeyRange, KeyValueStore, StoredValue } from '../../daemon/session/store.ts';

/** What outlives a store that is closed: a disk for one store at a time. */
export class MemoryDisk {
  readonly values = new Map<string, Uint8Array>();

  open(): KeyValueStore {
    const { values } = this;
    let open = true;
    const mustBeOpen = (): void => {
      if (!open) throw new Error('the store is closed');
    };
    return {
      get: (key) =>
        Promise.resolve().then(() => {
          mustBeOpen();
          return values.get(key);
        }),
      read: async function* ({ from, to, isReversed }: KeyRange): AsyncGenerator<StoredValue> {
        await Promise.resolve();
        mustBeOpen();
        const keys = [...values.keys()].sort();
        for (const key of isReversed === true ? keys.reverse() : keys) {
          const value = values.get(key);
          if (key >= from && key < to && value !== undefined) yield { key, value };
        }
      },
      write: async (operations) => {
        await Promise.resolve();
        mustBeOpen();
        for (const operation of operations)
          if (operation.kind === 'put') values.set(operation.key, Buffer.from(operation.value));
          else values.delete(operation.key);
      },
      [Symbol.asyncDispose]: () => {
        open = false;
        return Promise.resolve();
      },
    };
  }

  /** What it holds at this moment, which is what a kill -9 leaves. */
  copy(): MemoryDisk {
    const left = new MemoryDisk();
    for (const [key, value] of this.values) left.values.set(key, value);
    return left;
  }
}
