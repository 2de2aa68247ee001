import { describe, expect, test } from 'vitest';
import { runId } from '../../../daemon/core/ids.ts';
import { LIMITS } from '../../../daemon/core/limits.ts';
import type { KeyValueStore, StoredValue } from '../../../daemon/session/store.ts';
import { deferred } from '../../../daemon/support/deferred.ts';
import { failing } from '../../support/failing-store.ts';
import { MemoryDisk } from '../../support/memory-store.ts';
import { nextLife } from '../../support/next-life.ts';
import {
  type Bench,
  type BenchAnswer,
  calls,
  podBench,
  says,
  stalls,
  tool,
} from '../../support/pod-bench.ts';
import { until } from '../../support/until.ts';

const texts = (bench: Bench): string[] =>
  bench
    .items()
    .flatMap((item) => (item.type === 'message' ? item.content : []))
    .map((part) => (part.type === 'text' ? part.text : ''));

const RECALLED =
  'A run was cut off by a crash, before others that came after it. Finish what is left of it. It was begun with:\ngo';

/** What a kill -9 leaves of a Pod that was asked for something under the id `a`, while `waits` waited in its queue. */
async function cutOff(waits: readonly string[] = [], asked = 'go'): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  await using dead = await podBench({ answers: [stalls('so far')], store: disk.open() });
  dead.pod.run({ input: asked, inputId: 'a' }).catch(() => undefined);
  await until(() => dead.deltas.length > 0, 'the first piece');
  for (const input of waits)
    await dead.pod.run({ input, inputId: input, queue: true, wait: 'accepted' });
  return disk.copy();
}

describe('a run that a crash cut off, asked for again', () => {
  test('PROTO-17: behind an input that waited it is taken up all the same, with its input recalled and not repeated', async () => {
    const disk = await cutOff(['waited']);
    await using bench = await nextLife(disk.open(), [stalls('w'), says('whole')]);
    await until(() => bench.deltas.length > 0, 'the input that waited');
    const answers = [1, 2].map(() => bench.pod.run({ input: 'go', inputId: 'a' }));
    await until(() => bench.pod.status().waiting.inputs === 1, 'a place in the queue');
    await bench.pod.cancel();
    const [one, two] = await Promise.all(answers);
    expect(one).toMatchObject({ outcome: 'finished', text: 'whole', continues: 'run-1' });
    expect(two).toEqual(one);
    await expect(bench.pod.run({ input: 'go', inputId: 'a' })).resolves.toEqual(one);
    expect(texts(bench)).toEqual(['go', 'waited', 'w', RECALLED, 'whole']);
    expect(bench.requests).toHaveLength(2);
  });

  test('PROTO-17: so it is when others came after it and are over', async () => {
    const disk = await cutOff();
    await using bench = await nextLife(disk.open(), [says('other'), says('whole')]);
    await bench.pod.run({ input: 'other' });
    await expect(bench.pod.run({ input: 'go', inputId: 'a' })).resolves.toMatchObject({
      text: 'whole',
      continues: 'run-1',
    });
    expect(texts(bench)).toEqual(['go', 'other', 'other', RECALLED, 'whole']);
  });

  test('INV-12: of a long input only the beginning is recalled', async () => {
    const input = 'g'.repeat(2 * LIMITS.recalledBytes);
    const disk = await cutOff([], input);
    await using bench = await nextLife(disk.open(), [says('other'), says('whole')]);
    await bench.pod.run({ input: 'other' });
    await bench.pod.run({ input, inputId: 'a' });
    const [, recalled] = texts(bench).at(-2)?.split(':\n') ?? [];
    expect(Buffer.byteLength(recalled ?? '')).toBe(LIMITS.recalledBytes);
    expect(recalled).toMatch(/^g+\n\[cut: \d+ more bytes\]$/);
  });

  test('PROTO-17: its place in the queue outlives one more crash, and a crash in it', async () => {
    const disk = await cutOff(['waited']);
    let second: MemoryDisk;
    {
      await using bench = await nextLife(disk.open(), [stalls('w')]);
      await until(() => bench.deltas.length > 0, 'the input that waited');
      bench.pod.run({ input: 'go', inputId: 'a' }).catch(() => undefined);
      await until(() => bench.pod.status().waiting.inputs === 1, 'a place in the queue');
      second = disk.copy();
    }
    let third: MemoryDisk;
    {
      await using bench = await nextLife(second.open(), [stalls('again')]);
      await until(() => bench.deltas.length > 0, 'what waited, unasked');
      expect(texts(bench).at(-1)).toBe(RECALLED);
      third = second.copy();
    }
    await using bench = await nextLife(third.open(), [says('whole')], 'last');
    const answer = await bench.pod.run({ input: 'go', inputId: 'a' });
    expect(answer).toMatchObject({ text: 'whole' });
    expect(texts(bench).filter((text) => text === 'go')).toHaveLength(1);
  });

  test('PROTO-7: its report has no text of another run', async () => {
    const disk = await cutOff();
    let runs = 0;
    await using bench = await podBench({
      answers: [says('of the other'), calls(['T', {}])],
      tools: [tool('T', () => Promise.resolve({ summary: 't' }))],
      maxTurns: 1,
      store: disk.open(),
      parts: { newRunId: () => runId(`later-${(runs += 1)}`) },
    });
    await bench.pod.run({ input: 'other' });
    const answer = await bench.pod.run({ input: 'go', inputId: 'a' });
    expect(answer).toMatchObject({ outcome: 'limit_reached', continues: 'run-1', text: '' });
  });

  test('PROTO-19: behind a pause it waits only if it may', async () => {
    const disk = await cutOff();
    const gate = deferred<undefined>();
    let runs = 0;
    await using bench = await podBench({
      answers: [calls(['T', {}]), says('whole')],
      tools: [tool('T', () => gate.promise.then(() => ({ summary: 't' })))],
      store: disk.open(),
      parts: { newRunId: () => runId(`later-${(runs += 1)}`) },
    });
    const other = bench.pod.run({ input: 'other' });
    await until(() => bench.pod.view().phase === 'tools', 'the call');
    await bench.pod.pause();
    gate.resolve(undefined);
    await other;
    await expect(bench.pod.run({ input: 'go', inputId: 'a' })).rejects.toMatchObject({
      code: 'already_running',
    });
    const waits = bench.pod.run({ input: 'go', inputId: 'a', queue: true });
    await until(() => bench.pod.status().waiting.inputs === 1, 'a place in the queue');
    await bench.pod.cancel();
    await expect(waits).resolves.toMatchObject({ text: 'whole' });
  });

  test('PROTO-17: an end that was stored while the log was read is found', async () => {
    let down = false;
    const inner = failing(new MemoryDisk().open(), () => (down ? 'fails' : 'ok'));
    const read = deferred<undefined>();
    let isSlow = false;
    const store: KeyValueStore = {
      ...inner,
      read: async function* (range) {
        const all: StoredValue[] = [];
        for await (const one of inner.read(range)) all.push(one);
        if (isSlow) await read.promise;
        yield* all;
      },
    };
    const saysThenFails: BenchAnswer = async function* () {
      yield* says('done');
      await until(() => bench.entries().some(({ kind }) => kind === 'user_input'), 'the input');
      down = true;
    };
    await using bench = await podBench({
      answers: [saysThenFails, says('b'), says('more')],
      store,
    });
    await bench.pod.run({ input: 'go', inputId: 'a' }).catch(() => undefined);
    down = false;
    isSlow = true;
    const again = bench.pod.run({ input: 'go', inputId: 'a' });
    await bench.pod.run({ input: 'b' });
    isSlow = false;
    read.resolve(undefined);
    // It was begun, so it is not told as one of which nothing was done.
    await expect(again).resolves.toMatchObject({ outcome: 'finished', text: 'more' });
  });

  test('PROTO-17: whoever waits for acceptance only is told at once', async () => {
    const disk = await cutOff(['waited']);
    await using bench = await nextLife(disk.open(), [stalls('w'), says('whole')]);
    await until(() => bench.deltas.length > 0, 'the input that waited');
    const asked = { input: 'go', inputId: 'a', wait: 'accepted' } as const;
    const told = await bench.pod.run(asked);
    await bench.pod.cancel();
    await expect(bench.pod.run({ input: 'go', inputId: 'a' })).resolves.toMatchObject(told);
  });

  test('PROTO-17: a Resume with an id that was cut off is taken up likewise', async () => {
    const disk = await cutOff();
    let left: MemoryDisk;
    {
      await using dead = await nextLife(disk.open(), [stalls('so')]);
      dead.pod.resume({ requestId: 'r' }).catch(() => undefined);
      await until(() => dead.deltas.length > 0, 'the first piece');
      await dead.pod.run({ input: 'waited', queue: true, wait: 'accepted' });
      left = disk.copy();
    }
    await using bench = await nextLife(left.open(), [says('waited'), says('whole')], 'last');
    const answers = [1, 2].map(() => bench.pod.resume({ requestId: 'r' }));
    const [one, two] = await Promise.all(answers);
    expect(one).toMatchObject({ text: 'whole' });
    expect(two).toEqual(one);
  });

  test('PROTO-17 INV-12: a queue that is full is busy for it too', async () => {
    const waits = Array.from({ length: LIMITS.queuedInputs }, (_, n) => `w${n}`);
    const disk = await cutOff(waits);
    await using bench = await nextLife(disk.open(), [stalls('w')]);
    await until(() => bench.deltas.length > 0, 'the first that waited');
    await bench.pod.run({ input: 'x', queue: true, wait: 'accepted' });
    await expect(bench.pod.run({ input: 'go', inputId: 'a' })).rejects.toMatchObject({
      code: 'busy',
    });
  });
});
