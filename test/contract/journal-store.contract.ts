import { describe, expect, test } from 'vitest';
import type { KeyRange, KeyValueStore, StoreOperation } from '../../daemon/session/store.ts';

/** Something that a store can be opened on again and again; one at a time. */
export type StoreDisk = AsyncDisposable & { readonly open: () => Promise<KeyValueStore> };

const put = (key: string, text: string): StoreOperation => ({
  kind: 'put',
  key,
  value: Buffer.from(text, 'utf8'),
});

const ALL: KeyRange = { from: '!', to: '~' };

async function read(store: KeyValueStore, range: KeyRange = ALL): Promise<string[]> {
  const found: string[] = [];
  for await (const { key, value } of store.read(range))
    found.push(`${key}=${Buffer.from(value).toString('utf8')}`);
  return found;
}

/** Every KeyValueStore passes this, or the journal can't be kept in it. */
export function journalStoreContract(name: string, newDisk: () => Promise<StoreDisk>): void {
  describe(`KeyValueStore contract: ${name}`, () => {
    test('LOG-1: what was written is read in the order of the keys', async () => {
      await using disk = await newDisk();
      await using store = await disk.open();
      await store.write([put('b', '2'), put('a', '1')]);
      await store.write([put('a!1', '3')]);
      expect(await read(store)).toEqual(['a=1', 'a!1=3', 'b=2']);
    });

    test('LOG-1: a range holds its first key and not its last', async () => {
      await using disk = await newDisk();
      await using store = await disk.open();
      await store.write(['a', 'b', 'c', 'd'].map((key) => put(key, key)));
      expect(await read(store, { from: 'b', to: 'd' })).toEqual(['b=b', 'c=c']);
      expect(await read(store, { from: 'x', to: 'z' })).toEqual([]);
    });

    test('LOG-2: bytes come back as they were, empty ones and those that are no text too', async () => {
      await using disk = await newDisk();
      await using store = await disk.open();
      const all = Uint8Array.from({ length: 256 }, (_, n) => n);
      await store.write([
        { kind: 'put', key: 'all', value: all },
        { kind: 'put', key: 'none', value: new Uint8Array(0) },
      ]);
      expect(Buffer.from((await store.get('all')) ?? [])).toEqual(Buffer.from(all));
      expect((await store.get('none'))?.length).toBe(0);
    });

    test('LOG-1: a key that was never written has no value', async () => {
      await using disk = await newDisk();
      await using store = await disk.open();
      expect(await store.get('missing')).toBeUndefined();
    });

    test('LOG-3: a later operation of a write wins over an earlier one on its key', async () => {
      await using disk = await newDisk();
      await using store = await disk.open();
      await store.write([put('a', 'old'), put('b', 'old')]);
      await store.write([
        put('a', 'new'),
        { kind: 'remove', key: 'a' },
        { kind: 'remove', key: 'b' },
        put('b', 'new'),
        { kind: 'remove', key: 'never there' },
      ]);
      expect(await read(store)).toEqual(['b=new']);
    });

    test('LOG-4: what was written is there when the store is opened again', async () => {
      await using disk = await newDisk();
      {
        await using store = await disk.open();
        await store.write([put('a', '1'), put('b', '2')]);
        await store.write([{ kind: 'remove', key: 'a' }]);
      }
      await using again = await disk.open();
      expect(await read(again)).toEqual(['b=2']);
    });

    test('LOG-4: a store that is closed takes and tells nothing', async () => {
      await using disk = await newDisk();
      const store = await disk.open();
      await store[Symbol.asyncDispose]();
      await expect(store.write([put('a', '1')])).rejects.toThrow();
      await expect(store.get('a')).rejects.toThrow();
      await expect(read(store)).rejects.toThrow();
    });

    test('LOG-4: closing twice is harmless', async () => {
      await using disk = await newDisk();
      const store = await disk.open();
      await store[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
    });
  });
}
