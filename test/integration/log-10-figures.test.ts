import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { KeyValueStore } from '../../daemon/session/store.ts';
import { openStoreFolder } from '../../daemon/session/store-folder.ts';
import { bundleFixture } from '../support/bundle-fixture.ts';
import { startFixture } from '../support/fixture-process.ts';
import {
  addEndedSessions,
  addLiveSession,
  commitBookkeeping,
  MIB,
  noise,
} from '../support/long-history.ts';
import { MemoryDisk } from '../support/memory-store.ts';
import { input } from '../support/session-entries.ts';
import { deadline } from '../support/slowness.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { firstBatch, tempJournal } from '../support/temp-journal.ts';

type Figures = {
  readonly openMs: number;
  readonly heldBytes: number;
  readonly ownBytes: number;
  readonly items: number;
};
type Temp<T> = Awaited<ReturnType<typeof tempFolder>> & T;

const LIVE_MIB = 16;
/** As many bookkeeping entries would be far above the bound if each left something. */
const TURNS = 40_000;

const held: { fixture?: Temp<{ path: string }>; folder?: Temp<{ path: string }> } = {};

beforeAll(async () => {
  held.fixture = await bundleFixture('restore-memory.ts');
  held.folder = await tempFolder();
}, deadline(20_000));

afterAll(async () => {
  await held.fixture?.[Symbol.asyncDispose]();
  await held.folder?.[Symbol.asyncDispose]();
});

/** Makes a store and answers its folder. */
async function make(name: string, fill: (store: KeyValueStore) => Promise<void>): Promise<string> {
  const folder = join(held.folder?.path ?? '', name);
  await using store = await openStoreFolder(folder);
  await fill(store);
  return folder;
}

/** A process of its own opens the store and tells what that took. */
async function measure(folder: string, ...args: readonly string[]): Promise<Figures> {
  await using child = startFixture(held.fixture?.path ?? '', [folder, ...args]);
  const [line = ''] = await child.waitForLines(1);
  return JSON.parse(line) as Figures;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

describe('a process that restored its session', () => {
  test('LOG-10: it opens as fast, and holds as much, with 100 MiB of ended sessions as without', async () => {
    const short = await make('short', addLiveSession);
    const long = await make('long', async (store) => {
      await addEndedSessions(store, { count: 100, bytesEach: MIB });
      await addLiveSession(store);
    });
    const runs = { short: [] as Figures[], long: [] as Figures[] };
    for (let n = 0; n < 5; n += 1) {
      runs.short.push(await measure(short));
      runs.long.push(await measure(long));
    }
    const [ofShort, ofLong] = [runs.short, runs.long].map((figures) => ({
      openMs: median(figures.map(({ openMs }) => openMs)),
      heldBytes: median(figures.map(({ heldBytes }) => heldBytes)),
      ownBytes: median(figures.map(({ ownBytes }) => ownBytes)),
    }));
    expect(ofLong?.heldBytes).toBeLessThan((ofShort?.heldBytes ?? 0) * 1.2);
    // LevelDB has buffers of a few MiB, whatever it stores.
    expect(ofLong?.ownBytes).toBeLessThan((ofShort?.ownBytes ?? 0) + 8 * MIB);
    // Reading 100 MiB takes many times as long; what is left is the noise of a shared disk.
    expect(ofLong?.openMs).toBeLessThan((ofShort?.openMs ?? 0) * 3 + deadline(50));
  });

  test('LOG-10: it holds what is in the context, once, whether it was restored or appended', async () => {
    const empty = await make('empty', addLiveSession);
    const full = await make('full', async (store) => {
      await addLiveSession(store, async (journal) => {
        for (let n = 0; n < LIVE_MIB; n += 1)
          await journal.commit({ session: [input(noise(MIB))] });
      });
    });
    const base = (await measure(empty)).heldBytes;
    const restored = await measure(full);
    const appended = await measure(empty, 'latest', String(LIVE_MIB));
    expect(restored.items).toBe(LIVE_MIB + 1);
    expect(appended.items).toBe(LIVE_MIB + 1);
    for (const { heldBytes } of [restored, appended]) {
      // What an empty process holds differs by some hundred KiB from one to the next.
      expect(heldBytes - base).toBeGreaterThan(LIVE_MIB * MIB * 0.9);
      expect(heldBytes - base).toBeLessThan(LIVE_MIB * MIB * 1.2);
    }
    // The session that was live last is read, for a run that died in it, and let go.
    const other = await measure(full, 'new');
    expect(other.items).toBe(0);
    expect(other.heldBytes - base).toBeLessThan(2 * MIB);
  });

  test('LOG-10: it holds nothing of entries that leave nothing in the context', async () => {
    const short = await make('few', addLiveSession);
    const long = await make('many', async (store) => {
      await addLiveSession(store, (journal) => commitBookkeeping(journal, TURNS));
    });
    const base = (await measure(short)).heldBytes;
    expect((await measure(long)).heldBytes - base).toBeLessThan(2 * MIB);
  });
});

describe('an append', () => {
  test('LOG-10: it takes no longer after ten thousand entries than after ten', async () => {
    await using journal = await tempJournal(new MemoryDisk().open());
    await journal.commit(firstBatch());
    const timed = async (count: number): Promise<number> => {
      const times: number[] = [];
      for (let n = 0; n < count; n += 1) {
        const begun = performance.now();
        await journal.commit({ session: [input('one more')] });
        times.push(performance.now() - begun);
      }
      return median(times);
    };
    // What is compiled on the way is not the history's cost.
    await timed(500);
    const early = await timed(500);
    for (let n = 0; n < 40; n += 1)
      await journal.commit({ session: Array.from({ length: 250 }, () => input('so it goes')) });
    const late = await timed(500);
    expect(journal.size().sessionEntries).toBeGreaterThan(10_000);
    expect(late).toBeLessThan(early * 3 + 0.05);
  });
});
