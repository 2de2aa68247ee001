import { afterEach, describe, expect, test, vi } from 'vitest';
import { MarkedFiles } from '../../../daemon/compaction/marked-files.ts';
import { readInTime } from '../../../daemon/compaction/read-in-time.ts';
import { Activity } from '../../../daemon/core/activity.ts';
import { LIMITS } from '../../../daemon/core/limits.ts';
import { memoryFiles } from '../../support/memory-files.ts';
import { SILENT } from '../../support/temp-journal.ts';

const NEVER = new AbortController().signal;
const says = (result: { ok: boolean; value?: string; error?: string }): string =>
  String(result.value ?? result.error);

function marked(budget: number, files = { '/a': 'x'.repeat(400), '/b': 'y\nz\n' }) {
  const all = new Map(Object.entries(files));
  const inTime = readInTime({ activity: new Activity(() => undefined) });
  return { files: new MarkedFiles(memoryFiles(all), inTime, budget), all };
}

afterEach(() => {
  vi.useRealTimers();
});

describe('MarkedFiles', () => {
  test('COMP-3: a mark costs a quarter of its bytes, the same range again nothing, and what remains is told', async () => {
    const { files } = marked(150);
    expect(says(await files.mark('/a', {}, NEVER))).toBe(
      'marked /a for 100 tokens; 50 of 150 tokens remain: more than half is used, come to an end',
    );
    expect(says(await files.mark('/a', { offset: 0 }, NEVER))).toMatch(/marked already; 50 of 150/);
    expect(says(await files.mark('/b', { limit: 1 }, NEVER))).toMatch(
      /^marked \/b for 1 tokens; 49/,
    );
  });

  test('COMP-3: over the budget nothing is marked, and what is left is said; a missing file costs nothing', async () => {
    const { files } = marked(99);
    expect(says(await files.mark('/a', {}, NEVER))).toMatch(
      /^over the budget: .* 99 tokens that remain of 99/,
    );
    expect(says(await files.mark('/c', {}, NEVER))).toBe('/c does not exist');
    expect(files.isEmpty()).toBe(true);
    expect((await files.mark('/b', {}, NEVER)).ok).toBe(true);
  });

  test('COMP-3, COMP-6: marks that come at once keep their order, and share the budget', async () => {
    const { files } = marked(101);
    const [large, small, more] = await Promise.all([
      files.mark('/a', {}, NEVER),
      files.mark('/b', {}, NEVER),
      files.mark('/a', { offset: 0, limit: 1 }, NEVER),
    ]);
    expect([large.ok, small.ok, more.ok]).toEqual([true, true, false]);
    expect((await files.read(SILENT, NEVER)).map(({ path }) => path)).toEqual(['/a', '/b']);
  });

  test('COMP-3: with a budget of 0 no file may be marked', async () => {
    const { files } = marked(0);
    expect(says(await files.mark('/b', {}, NEVER))).toMatch(/budget is 0/);
  });

  test('COMP-3: references are unique and in order', () => {
    const { files } = marked(9);
    for (const path of ['/b', '/a', '/b']) files.refer(path);
    expect(files.references).toEqual(['/b', '/a']);
  });

  test('COMP-6: files are read as they are at the end; one that went away or grew is left out', async () => {
    const { files, all } = marked(500);
    await files.mark('/b', { offset: 1 }, NEVER);
    await files.mark('/a', {}, NEVER);
    all.set('/b', 'y\nnow\n');
    expect(await files.read(SILENT, NEVER)).toMatchObject([
      { path: '/b', offset: 1, text: 'now\n', lines: 2 },
      { path: '/a' },
    ]);
    all.set('/a', 'x'.repeat(100_000));
    expect(await files.read(SILENT, NEVER)).toMatchObject([{ path: '/b' }]);
    all.delete('/b');
    expect(await files.read(SILENT, NEVER)).toEqual([]);
  });

  test('COMP-3, INV-12: no more than 100 are marked, and as many named (compactorFiles)', async () => {
    const { files } = marked(10_000);
    for (let n = 0; n < LIMITS.compactorFiles; n += 1) {
      expect((await files.mark('/b', { offset: 0, limit: n + 1 }, NEVER)).ok).toBe(true);
      expect(files.refer(`/r${n}`).ok).toBe(true);
    }
    expect(says(await files.mark('/a', {}, NEVER))).toMatch(/at most 100 files/);
    expect(says(files.refer('/more'))).toMatch(/at most 100 references/);
  });

  test('COMP-6, INV-6: a file that hangs when it is read at the end is left out, and named as what is still under way', async () => {
    const { files, all } = marked(500);
    const activity = new Activity(() => undefined);
    let hangs = false;
    const hanging = new MarkedFiles(
      {
        openForRead: (path, signal) =>
          hangs && path === '/a'
            ? new Promise<never>(() => undefined)
            : memoryFiles(all).openForRead(path, signal),
      },
      readInTime({ activity }),
      500,
    );
    expect(files.isEmpty()).toBe(true);
    await hanging.mark('/a', {}, NEVER);
    await hanging.mark('/b', {}, NEVER);
    hangs = true;
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const read = hanging.read(SILENT, NEVER);
    await vi.advanceTimersByTimeAsync(LIMITS.toolMs + LIMITS.toolAbortMs);
    expect(await read).toMatchObject([{ path: '/b' }]);
    expect(activity.list()).toEqual([{ kind: 'tool_call', id: '/a' }]);
  });
});
