import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { STORE_FORMAT } from '../core/entry.ts';
import { Fault } from '../core/fault.ts';
import { FORMAT_KEY } from './keys.ts';
import { openLevelStore } from './level-store.ts';
import type { KeyValueStore } from './store.ts';

/**
 * A store is a folder of two things: `format`, the number of its layout, and `level`, the database. The number is a
 * file of its own because LevelDB writes as it opens, and a store of another format is to be left as it is.
 */
const FORMAT_FILE = 'format';
const LEVEL_FOLDER = 'level';

/** Opens the store in `folder`, or makes it, all or nothing, if there is none. */
export async function openStoreFolder(folder: string): Promise<KeyValueStore> {
  if (!(await holdsStore(folder))) await createStore(folder);
  checkFormat(await readFormatFile(folder));
  const level = join(folder, LEVEL_FOLDER);
  // LevelDB would make the folder before it finds nothing in it.
  if ((await namesIn(level)) === null)
    throw new Fault('store_corrupt', 'the session store lost its database: restore it from a copy');
  const store = await openLevelStore(level, 'refuse');
  try {
    const stored = await store.get(FORMAT_KEY);
    checkFormat(stored === undefined ? '' : Buffer.from(stored).toString('utf8'));
  } catch (error) {
    await store[Symbol.asyncDispose]();
    throw error;
  }
  return store;
}

async function holdsStore(folder: string): Promise<boolean> {
  const names = await namesIn(folder).catch((cause: unknown) => {
    throw new Fault('cannot_create', 'the folder of the session store cannot be read', { cause });
  });
  return names !== null && names.length > 0;
}

// A start that dies on the way leaves a folder beside the store, never half a store.
async function createStore(folder: string): Promise<void> {
  const parent = dirname(folder);
  const draft = `${folder}.new-${process.pid}`;
  try {
    await mkdir(parent, { recursive: true, mode: 0o700 });
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft, { mode: 0o700 });
    await writeSynced(join(draft, FORMAT_FILE), `${STORE_FORMAT}\n`);
    await mkdir(join(draft, LEVEL_FOLDER), { mode: 0o700 });
    {
      await using store = await openLevelStore(join(draft, LEVEL_FOLDER), 'create');
      const value = Buffer.from(String(STORE_FORMAT), 'utf8');
      await store.write([{ kind: 'put', key: FORMAT_KEY, value }]);
    }
    await syncFolder(draft);
    await rename(draft, folder);
    await syncFolder(parent);
    await removeDrafts(parent, `${basename(folder)}.new-`);
  } catch (cause) {
    // Another podd was faster: its store is opened, or found in use.
    if (await holdsStore(folder)) return;
    if (cause instanceof Fault) throw cause;
    throw new Fault(
      'cannot_create',
      'the session store cannot be created: check that its folder is writable and its disk has space',
      { cause },
    );
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function removeDrafts(parent: string, prefix: string): Promise<void> {
  for (const name of (await namesIn(parent)) ?? [])
    if (name.startsWith(prefix)) await rm(join(parent, name), { recursive: true, force: true });
}

async function readFormatFile(folder: string): Promise<string> {
  try {
    return await readFile(join(folder, FORMAT_FILE), 'utf8');
  } catch (cause) {
    if (isMissing(cause)) return '';
    throw new Fault('cannot_create', 'the format of the session store cannot be read', { cause });
  }
}

function checkFormat(text: string): void {
  const format = text.trim();
  if (format === String(STORE_FORMAT)) return;
  if (/^\d{1,9}$/.test(format))
    throw new Fault(
      'manifest_invalid',
      `the session store has format ${format}, this podd reads and writes format ${STORE_FORMAT}: ` +
        'use the version of podd that wrote it, or another state folder',
    );
  throw new Fault(
    'store_corrupt',
    `the session store does not say which format it has (this podd writes ${STORE_FORMAT}): restore it from a copy`,
  );
}

/** Null if there is no such folder. */
async function namesIn(folder: string): Promise<string[] | null> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

async function writeSynced(path: string, text: string): Promise<void> {
  await using file = await open(path, 'wx', 0o600);
  await file.writeFile(text);
  await file.sync();
}

async function syncFolder(path: string): Promise<void> {
  await using folder = await open(path, 'r');
  await folder.sync();
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
