import { Level } from 'level';
import { invariant } from '../core/assert.ts';
import { Fault } from '../core/fault.ts';
import type { KeyValueStore, StoredValue } from './store.ts';

type Database = Level<string, Uint8Array>;

/** Opens LevelDB in `folder`, which is held by this process alone until it closes. */
export async function openLevelStore(
  folder: string,
  missing: 'create' | 'refuse',
): Promise<KeyValueStore> {
  // With `createIfMissing` LevelDB takes a store whose CURRENT is gone for a new one, and deletes what it held.
  const create = missing === 'create';
  const db: Database = new Level(folder, {
    keyEncoding: 'utf8',
    valueEncoding: 'buffer',
    createIfMissing: create,
    errorIfExists: create,
  });
  try {
    await db.open();
  } catch (error) {
    throw toStartFault(error);
  }
  return toStore(db);
}

function toStore(db: Database): KeyValueStore {
  let failed = false;
  let closed = false;

  // After a failed write LevelDB refuses every later one on that handle, also when the disk has space again; and
  // a torn record in its log may be followed by nothing. Opening again drops that record.
  const ready = async (): Promise<Database> => {
    invariant(!closed, 'the store was used after it was closed');
    if (!failed) return db;
    await db.close();
    await db.open({ createIfMissing: false, errorIfExists: false });
    failed = false;
    return db;
  };

  return {
    get: async (key) => await (await ready()).get(key),
    read: async function* ({ from, to, isReversed = false }): AsyncGenerator<StoredValue> {
      const range = { gte: from, lt: to, reverse: isReversed };
      for await (const [key, value] of (await ready()).iterator(range)) yield { key, value };
    },
    write: async (operations) => {
      const handle = await ready();
      const batch = operations.map((operation) =>
        operation.kind === 'put'
          ? { type: 'put' as const, key: operation.key, value: operation.value }
          : { type: 'del' as const, key: operation.key },
      );
      try {
        await handle.batch(batch, { sync: true });
      } catch (error) {
        failed = true;
        throw error;
      }
    },
    [Symbol.asyncDispose]: async () => {
      closed = true;
      await db.close();
    },
  };
}

function toStartFault(error: unknown): Fault {
  const options = { cause: error };
  switch (innerCode(error)) {
    case 'LEVEL_LOCKED':
      return new Fault('taken', 'the session store is in use by another process', options);
    case 'LEVEL_IO_ERROR':
    case 'EACCES':
    case 'ENOSPC':
    case 'EROFS':
      return new Fault(
        'cannot_create',
        'the session store cannot be opened: check that its folder is writable and its disk has space',
        options,
      );
    default:
      // What LevelDB calls an invalid argument, such as a store without its CURRENT, comes without a code.
      return new Fault(
        'store_corrupt',
        'the session store is damaged and its database does not open: restore it from a copy',
        options,
      );
  }
}

// abstract-level wraps why an open failed in an error that only says that it did.
function innerCode(error: unknown): unknown {
  const inner = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return inner instanceof Error && 'code' in inner ? inner.code : undefined;
}
