import { describe, expect, test } from 'vitest';
import { LIMITS } from '../../../daemon/core/limits.ts';
import { MemoryDisk } from '../../support/memory-store.ts';
import { nextLife } from '../../support/next-life.ts';
import { type Bench, podBench, says, stalls } from '../../support/pod-bench.ts';
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
