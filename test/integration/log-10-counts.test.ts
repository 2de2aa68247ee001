import { describe, expect, test } from 'vitest';
import { LIMITS } from '../../daemon/core/limits.ts';
import { sessionId } from '../../daemon/core/ids.ts';
import { startJournal } from '../../daemon/session/open-journal.ts';
import type { StoreCounts } from '../support/counting-store.ts';
import { counting } from '../support/counting-store.ts';
import { addEndedSessions, addLiveSession } from '../support/long-history.ts';
import { MemoryDisk } from '../support/memory-store.ts';
import { input } from '../support/session-entries.ts';
import { firstBatch, journalOptions, tempJournal } from '../support/temp-journal.ts';

/** What a start reads and writes. It is done to a copy of the disk. */
async function countStart(disk: MemoryDisk): Promise<StoreCounts> {
  const copy = new MemoryDisk();
  for (const [key, value] of disk.values) copy.values.set(key, value);
  const store = counting(copy.open());
  await startJournal(store, journalOptions());
  return store.take();
}

describe('opening a store', () => {
  test('LOG-10: it reads as much with two hundred ended sessions as without any', async () => {
    const disk = new MemoryDisk();
    await using store = disk.open();
    await addEndedSessions(store, { count: 200, bytesEach: 32 * 1024 });
    await addLiveSession(store);
    const held = [...disk.values.values()].reduce((sum, value) => sum + value.length, 0);
    const withAll = await countStart(disk);
    for (const key of disk.values.keys()) if (/^[sS]!ended-/.test(key)) disk.values.delete(key);
    expect(disk.values.size).toBeLessThan(500);
    expect(withAll).toEqual(await countStart(disk));
    expect(withAll.bytesRead).toBeLessThan(held / 20);
  });

  test('LOG-10: it reads more when the live session holds more, and nothing else makes it', async () => {
    const disk = new MemoryDisk();
    await using store = disk.open();
    await addLiveSession(store);
    const before = await countStart(disk);
    const { journal } = await startJournal(store, journalOptions());
    await journal.commit({ session: [input('x'.repeat(1_000)), input('y'.repeat(1_000))] });
    const after = await countStart(disk);
    // Two entries of the session, and the start of the process that wrote them.
    expect(after.valuesRead).toBe(before.valuesRead + 3);
    expect(after.bytesRead).toBeGreaterThan(before.bytesRead + 2_000);
    expect(after.bytesRead).toBeLessThan(before.bytesRead + 3_000);
  });

  test('LOG-10: what it reads of the journal has a limit, however often the Pod was started', async () => {
    const disk = new MemoryDisk();
    await using store = disk.open();
    const { journal } = await startJournal(store, journalOptions());
    const entry = { kind: 'session_current', at: 1, sessionId: sessionId('live') } as const;
    let written = 0;
    for (let n = 0; written < 3 * LIMITS.journalBytes; n += 1) {
      const entries = Array.from({ length: 500 }, () => entry);
      await journal.commit({ journal: entries });
      written += entries.length * JSON.stringify(entry).length;
    }
    await addLiveSession(store);
    const { bytesRead } = await countStart(disk);
    // An entry is read with its key and hash; these are small ones.
    expect(bytesRead).toBeLessThan(3 * LIMITS.journalBytes);
    const journalBytes = [...disk.values].reduce(
      (sum, [key, value]) => sum + (key.startsWith('j!') ? value.length - 32 : 0),
      0,
    );
    expect(journalBytes).toBeLessThan(LIMITS.journalBytes + 500 * JSON.stringify(entry).length);
  });
});

describe('an append', () => {
  test('LOG-10: it costs as many reads, writes and bytes after ten thousand entries as after ten', async () => {
    const store = counting(new MemoryDisk().open());
    await using journal = await tempJournal(store);
    await journal.commit(firstBatch());
    const growTo = async (length: number): Promise<void> => {
      while (journal.size().sessionEntries < length) {
        const missing = Math.min(500, length - journal.size().sessionEntries);
        await journal.commit({
          session: Array.from({ length: missing }, () => input('so it goes')),
        });
      }
    };
    const appendOnce = async (): Promise<StoreCounts> => {
      store.take();
      await journal.commit({ session: [input('one more')] });
      return store.take();
    };
    await growTo(10);
    const early = await appendOnce();
    await growTo(10_000);
    const late = await appendOnce();
    expect(early).toMatchObject({ gets: 0, valuesRead: 0, writes: 1, operations: 2 });
    // The head counts entries and bytes in decimal: a few digits more.
    const digits = late.bytesWritten - early.bytesWritten;
    expect(digits).toBeLessThanOrEqual(8);
    expect(late).toEqual({ ...early, bytesWritten: early.bytesWritten + digits });
  });
});
