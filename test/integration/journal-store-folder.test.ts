import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { LIMITS } from '../../daemon/core/limits.ts';
import { openLevelStore } from '../../daemon/session/level-store.ts';
import { planAppend } from '../../daemon/session/log-tail.ts';
import { openJournal, type OpenedJournal } from '../../daemon/session/open-journal.ts';
import { restoreJournal } from '../../daemon/session/restore.ts';
import type { KeyValueStore, StoreOperation } from '../../daemon/session/store.ts';
import { user } from '../support/items.ts';
import { input, SESSION } from '../support/session-entries.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { firstBatch, journalOptions, SILENT } from '../support/temp-journal.ts';

const open = (folder: string, changes = {}): Promise<OpenedJournal> =>
  openJournal({ ...journalOptions(changes), folder });

async function openAndClose(folder: string, changes = {}): Promise<OpenedJournal> {
  const opened = await open(folder, changes);
  await opened.journal[Symbol.asyncDispose]();
  return opened;
}

/** A closed store whose session holds `go` and nine more inputs. */
async function makeStore(folder: string): Promise<void> {
  const { journal } = await open(folder);
  await journal.commit(firstBatch());
  for (let n = 1; n < 10; n += 1) await journal.commit({ session: [input(`input ${n}`)] });
  await journal[Symbol.asyncDispose]();
}

/** Works on the closed store's keys, below the journal. */
async function tamper(
  folder: string,
  work: (store: KeyValueStore) => Promise<void>,
): Promise<void> {
  await using store = await openLevelStore(join(folder, 'level'), 'refuse');
  await work(store);
}

const put = (key: string, value: Uint8Array | string): StoreOperation => ({
  kind: 'put',
  key,
  value: Buffer.from(value),
});

/** A further entry of the journal, chained as it should be. */
async function append(store: KeyValueStore, payload: string): Promise<void> {
  const { tail } = await restoreJournal(store);
  await store.write(planAppend(tail, [Buffer.from(payload)]).operations);
}

/** Names and bytes of all files below. */
async function contents(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile()) {
      const path = join(entry.parentPath, entry.name);
      found[path] = (await readFile(path)).toString('hex');
    }
  return found;
}

describe('openJournal', () => {
  test('PATH-1: a store is made with the folders above it, for this user alone, with nothing beside it', async () => {
    await using temp = await tempFolder();
    const folder = join(temp.path, 'pods', 'p', 'db');
    await openAndClose(folder);
    expect(await readdir(join(temp.path, 'pods', 'p'))).toEqual(['db']);
    expect((await readdir(folder)).sort()).toEqual(['format', 'level']);
    expect(await readFile(join(folder, 'format'), 'utf8')).toBe('1\n');
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, 'level'))).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, 'format'))).mode & 0o777).toBe(0o600);
  });

  test('LOG-13: each start has the next epoch, and what a start that died left beside the store is cleaned up', async () => {
    await using temp = await tempFolder();
    const folder = join(temp.path, 'db');
    await mkdir(join(temp.path, 'db.new-99999', 'level'), { recursive: true });
    for (const epoch of [1, 2, 3]) {
      const { journal, restored } = await openAndClose(folder);
      expect(journal.state().epoch).toBe(epoch);
      expect(restored.journal.epoch).toBe(epoch - 1);
    }
    expect(await readdir(temp.path)).toEqual(['db']);
  });

  test('LOG-7: of many starts at once one has the store and the others find it taken', async () => {
    await using temp = await tempFolder();
    const folder = join(temp.path, 'db');
    await openAndClose(folder);
    const starts = await Promise.allSettled([open(folder), open(folder), open(folder)]);
    const opened = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
    const refused = starts.flatMap((start) =>
      start.status === 'rejected' ? [start.reason as unknown] : [],
    );
    expect(opened).toHaveLength(1);
    expect(refused).toEqual([
      expect.objectContaining({ code: 'taken' }),
      expect.objectContaining({ code: 'taken' }),
    ]);
    for (const { journal } of opened) await journal[Symbol.asyncDispose]();
  });

  test('LOG-17: a store of another format is refused naming both, and not a byte of it changes', async () => {
    await using temp = await tempFolder();
    const folder = join(temp.path, 'db');
    await makeStore(folder);
    await writeFile(join(folder, 'format'), '7\n');
    const before = await contents(temp.path);
    await expect(open(folder)).rejects.toMatchObject({
      code: 'manifest_invalid',
      message: expect.stringMatching(/format 7.*format 1/) as string,
    });
    expect(await contents(temp.path)).toEqual(before);
  });

  test('LOG-17: a database whose own format differs is refused naming both', async () => {
    await using temp = await tempFolder();
    const folder = join(temp.path, 'db');
    await makeStore(folder);
    await tamper(folder, (store) => store.write([put('format', '7')]));
    await expect(open(folder)).rejects.toMatchObject({
      code: 'manifest_invalid',
      message: expect.stringMatching(/format 7.*format 1/) as string,
    });
  });

  test('LOG-17: fields of records that this version does not know survive its writing', async () => {
    await using temp = await tempFolder();
    const folder = join(temp.path, 'db');
    await makeStore(folder);
    const fields = async (key: string): Promise<Record<string, unknown>> => {
      let found: Record<string, unknown> = {};
      await tamper(folder, async (store) => {
        const value = Buffer.from((await store.get(key)) ?? []).toString('utf8');
        found = JSON.parse(value) as Record<string, unknown>;
      });
      return found;
    };
    for (const key of ['J', `S!${SESSION}`]) {
      const value = JSON.stringify({ ...(await fields(key)), later: { kept: [1] } });
      await tamper(folder, (store) => store.write([put(key, value)]));
    }
    // The run that is open is closed, so both heads are written.
    await openAndClose(folder);
    for (const key of ['J', `S!${SESSION}`])
      expect(await fields(key)).toMatchObject({ later: { kept: [1] } });
  });

  const session = `s!${SESSION}!00000000000`;
  const DAMAGES: readonly (readonly [string, RegExp, (folder: string) => Promise<void>])[] = [
    [
      'a changed byte of an entry',
      /session 0190.*, entry 5: its hash/,
      (folder) =>
        tamper(folder, async (store) => {
          const value = Buffer.from((await store.get(`${session}5`)) ?? []);
          value[40] = (value[40] ?? 0) ^ 1;
          await store.write([put(`${session}5`, value)]);
        }),
    ],
    [
      'a missing entry in the middle',
      /session 0190.*: entry 4 is missing/,
      (folder) => tamper(folder, (store) => store.write([{ kind: 'remove', key: `${session}4` }])),
    ],
    [
      'a missing last entry',
      /session 0190.* holds 11 entries where its head record counts 12/,
      (folder) =>
        tamper(folder, (store) =>
          store.write([{ kind: 'remove', key: `s!${SESSION}!000000000011` }]),
        ),
    ],
    [
      'a missing head of the session',
      /session 0190.*the journal names it/,
      (folder) => tamper(folder, (store) => store.write([{ kind: 'remove', key: `S!${SESSION}` }])),
    ],
    [
      'a missing head of the journal',
      /the journal: its head record is missing/,
      (folder) => tamper(folder, (store) => store.write([{ kind: 'remove', key: 'J' }])),
    ],
    [
      'a head of the journal that is no JSON',
      /the journal: its head record is damaged/,
      (folder) => tamper(folder, (store) => store.write([put('J', '{"count":')])),
    ],
    [
      'an entry that is cut off',
      /the journal, entry 0: it is cut off/,
      (folder) => tamper(folder, (store) => store.write([put('j!00000001!000000000000', 'short')])),
    ],
    [
      'an entry of a kind that is not known',
      /the journal, entry 3: it is of kind "from_later"/,
      (folder) => tamper(folder, (store) => append(store, '{"kind":"from_later","at":1}')),
    ],
    [
      'an entry of a kind that only a later version takes over',
      /the journal, entry 3: inbox_cursor is of a later version/,
      (folder) =>
        tamper(folder, (store) =>
          append(store, '{"kind":"inbox_cursor","at":1,"pod":"p","outbox":"o","n":1}'),
        ),
    ],
    [
      'a database that has lost its CURRENT',
      /does not open/,
      (folder) => rm(join(folder, 'level', 'CURRENT')),
    ],
    [
      'a database with an empty CURRENT',
      /does not open/,
      (folder) => writeFile(join(folder, 'level', 'CURRENT'), ''),
    ],
    [
      'a store without its database',
      /lost its database/,
      (folder) => rm(join(folder, 'level'), { recursive: true }),
    ],
    ['a store without its format', /which format/, (folder) => rm(join(folder, 'format'))],
    [
      'a format that is no number',
      /which format/,
      (folder) => writeFile(join(folder, 'format'), '?'),
    ],
  ];

  test.each(DAMAGES)('LOG-15: %s is told, with where and what to do', async (_, says, damage) => {
    await using temp = await tempFolder();
    const folder = join(temp.path, 'db');
    await makeStore(folder);
    await damage(folder);
    const opening = open(folder);
    await expect(opening).rejects.toMatchObject({ name: 'Fault', code: 'store_corrupt' });
    await expect(opening).rejects.toThrow(says);
    await expect(opening).rejects.toThrow(/restore (it|the store) from a copy/);
    // What was refused was not written to: the next start says the same, and holds no lock.
    await expect(open(folder)).rejects.toThrow(says);
  });

  test('LOG-15: a new session is a way out of a damaged one, which stays as it is', async () => {
    await using temp = await tempFolder();
    const folder = join(temp.path, 'db');
    await makeStore(folder);
    await tamper(folder, (store) => store.write([{ kind: 'remove', key: `${session}4` }]));
    const warnings: string[] = [];
    const log = { ...SILENT, warn: (message: string) => void warnings.push(message) };
    const { journal } = await open(folder, { session: { kind: 'new' }, log });
    expect(journal.session().begun).toBe(false);
    expect(warnings).toEqual(['the last session is damaged and is left as it is']);
    await journal[Symbol.asyncDispose]();
    await expect(open(folder)).rejects.toThrow('entry 4 is missing');
  });

  test('EXIT-1: a store that can not be made is told as such, and leaves nothing', async () => {
    await using temp = await tempFolder();
    await writeFile(join(temp.path, 'file'), '');
    const opening = open(join(temp.path, 'file', 'db'));
    await expect(opening).rejects.toMatchObject({ code: 'cannot_create' });
    expect(await readdir(temp.path)).toEqual(['file']);
  });

  test('INV-6: a store that does not open in its time is given up', async () => {
    await using temp = await tempFolder();
    const folder = join(temp.path, 'db');
    await mkdir(folder);
    // Reading it waits for a writer, as a disk that hangs would.
    execFileSync('mkfifo', [join(folder, 'format')]);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const opening = open(folder);
      vi.advanceTimersByTime(LIMITS.openStoreMs);
      await expect(opening).rejects.toMatchObject({ code: 'cannot_create' });
    } finally {
      vi.useRealTimers();
      await writeFile(join(folder, 'format'), '1\n');
    }
  });

  test('LOG-10: what lies in other sessions is not read at a start', async () => {
    await using temp = await tempFolder();
    const folder = join(temp.path, 'db');
    await makeStore(folder);
    const other = SESSION.replace('0001', '0002') as typeof SESSION;
    {
      const { journal } = await open(folder, {
        session: { kind: 'new' },
        newSessionId: () => other,
      });
      await journal.commit(firstBatch([], other));
      await journal[Symbol.asyncDispose]();
    }
    await tamper(folder, (store) => store.write([{ kind: 'remove', key: `${session}4` }]));
    const { journal } = await open(folder);
    expect(journal.session().sessionId).toBe(other);
    expect(journal.session().items).toEqual([user('go')]);
    await journal[Symbol.asyncDispose]();
  });
});
