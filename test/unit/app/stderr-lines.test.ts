import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StderrLines } from '../../../daemon/app/stderr-lines.ts';
import { LIMITS } from '../../../daemon/core/limits.ts';
import { ManualTimers } from '../../support/manual-timers.ts';

/** A reader that takes `room` bytes more, and whose end may be closed. */
class Reader {
  text = '';
  room = 0;
  closed = false;
  asked = 0;

  readonly sink = (bytes: Uint8Array): number | null => {
    this.asked += 1;
    if (this.closed) return null;
    const taken = Math.min(this.room, bytes.length);
    this.text += Buffer.from(bytes.subarray(0, taken)).toString('latin1');
    this.room -= taken;
    return taken;
  };
}

type Bench = {
  readonly reader: Reader;
  readonly timers: ManualTimers;
  readonly lines: StderrLines;
};

function bench(): Bench {
  const reader = new Reader();
  const timers = new ManualTimers();
  const lines = new StderrLines({
    sink: reader.sink,
    later: timers.later,
    droppedLine: (count) => `${count} lines were dropped\n`,
  });
  return { reader, timers, lines };
}

const KIB = `${'x'.repeat(1023)}\n`;

describe('StderrLines', () => {
  test('START-3: a reader that keeps up gets each line at once, and nothing waits', () => {
    const { reader, timers, lines } = bench();
    reader.room = 1_000;
    lines.write('one\n');
    lines.write('two\n');
    expect(reader.text).toBe('one\ntwo\n');
    expect(timers.pending()).toEqual([]);
  });

  test('START-3: what a reader does not take waits; a line half taken goes on where it stopped', () => {
    const { reader, timers, lines } = bench();
    reader.room = 2;
    lines.write('first\n');
    lines.write('second\n');
    expect(reader.text).toBe('fi');
    reader.room = 100;
    timers.pass(LIMITS.stderrRetryMinMs);
    expect(reader.text).toBe('first\nsecond\n');
    expect(timers.pending()).toEqual([]);
  });

  test('START-3 INV-12: beyond the limit whole lines are dropped, and their number stands where they are missing', () => {
    const { reader, timers, lines } = bench();
    const fitting = LIMITS.stderrQueueBytes / KIB.length;
    for (let n = 0; n < fitting + 7; n += 1) lines.write(KIB);
    reader.room = 10 * LIMITS.stderrQueueBytes;
    timers.pass(LIMITS.stderrRetryMaxMs);
    expect(reader.text).toBe(`${KIB.repeat(fitting)}7 lines were dropped\n`);
    lines.write('after\n');
    expect(reader.text).toBe(`${KIB.repeat(fitting)}7 lines were dropped\nafter\n`);
  });

  test('START-3: once full, it takes lines again when it is half empty', () => {
    const { reader, timers, lines } = bench();
    const fitting = LIMITS.stderrQueueBytes / KIB.length;
    for (let n = 0; n < fitting + 1; n += 1) lines.write(KIB);
    reader.room = KIB.length;
    timers.pass(LIMITS.stderrRetryMaxMs);
    lines.write('too early\n');
    reader.room = LIMITS.stderrQueueBytes / 2;
    timers.pass(LIMITS.stderrRetryMaxMs);
    lines.write('in time\n');
    reader.room = LIMITS.stderrQueueBytes;
    timers.pass(LIMITS.stderrRetryMaxMs);
    expect(reader.text).toBe(`${KIB.repeat(fitting)}2 lines were dropped\nin time\n`);
  });

  test('START-3: a line larger than all that may wait comes whole to a reader that keeps up, and else is told as dropped', () => {
    const { reader, timers, lines } = bench();
    const long = `${'x'.repeat(LIMITS.stderrQueueBytes)}\n`;
    reader.room = 2 * long.length;
    lines.write(long);
    lines.write('next\n');
    expect(reader.text).toBe(`${long}next\n`);
    reader.text = '';
    reader.room = 1;
    lines.write('late\n');
    lines.write(long);
    reader.room = 1_000;
    timers.pass(LIMITS.stderrRetryMaxMs);
    expect(reader.text).toBe('late\n1 lines were dropped\n');
  });

  test('START-3 INV-12: the rest of such a line goes on first, and nothing waits beside it', () => {
    const { reader, timers, lines } = bench();
    const long = `${'x'.repeat(2 * LIMITS.stderrQueueBytes)}\n`;
    reader.room = 1_000;
    lines.write(long);
    lines.write('dropped\n');
    lines.write(long);
    reader.room = 2 * long.length;
    timers.pass(LIMITS.stderrRetryMaxMs);
    lines.write('next\n');
    expect(reader.text).toBe(`${long}2 lines were dropped\nnext\n`);
  });

  test('START-3: a reader that takes nothing is asked ever more rarely, and often again once it reads', () => {
    const { reader, timers, lines } = bench();
    lines.write(KIB);
    const waits: number[] = [];
    for (let n = 0; n < 10; n += 1) {
      const [wait = 0] = timers.pending();
      waits.push(wait);
      timers.pass(wait);
    }
    expect(waits.slice(0, 3)).toEqual([10, 20, 40]);
    expect(waits.at(-1)).toBe(LIMITS.stderrRetryMaxMs);
    const { asked } = reader;
    lines.write(KIB);
    expect(reader.asked).toBe(asked);
    reader.room = 1;
    timers.pass(LIMITS.stderrRetryMaxMs);
    expect(timers.pending()).toEqual([LIMITS.stderrRetryMinMs]);
  });

  test('START-3: a reader that is gone ends it without a word', () => {
    const { reader, timers, lines } = bench();
    lines.write('one\n');
    reader.closed = true;
    timers.pass(LIMITS.stderrRetryMaxMs);
    lines.write('two\n');
    const { asked } = reader;
    lines.write('three\n');
    lines.close();
    expect(reader.asked).toBe(asked);
    expect(timers.pending()).toEqual([]);
  });

  test('START-3: its end tries once more, and waits for nobody', () => {
    const { reader, timers, lines } = bench();
    lines.write('one\n');
    lines.write('two\n');
    reader.room = 6;
    lines.close();
    expect(reader.text).toBe('one\ntw');
    expect(timers.pending()).toEqual([]);
    lines.write('late\n');
    expect(reader.text).toBe('one\ntw');
  });

  test('START-3: however a reader takes its bytes, each line is whole, in order, and counted if it is missing', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('write' as const), units: fc.nat(90_000) }),
      fc.record({ kind: fc.constant('read' as const), bytes: fc.nat(200_000) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { reader, timers, lines } = bench();
        let written = 0;
        for (const one of steps) {
          if (one.kind === 'write') {
            lines.write(`${written}:${'y'.repeat(one.units)}\n`);
            written += 1;
          } else {
            reader.room = one.bytes;
            timers.pass(LIMITS.stderrRetryMaxMs);
          }
        }
        reader.room = Number.MAX_SAFE_INTEGER;
        timers.pass(LIMITS.stderrRetryMaxMs);
        let next = 0;
        for (const line of reader.text.split('\n').slice(0, -1)) {
          const dropped = /^(\d+) lines were dropped$/.exec(line);
          if (dropped === null) expect(line).toMatch(new RegExp(`^${next}:y*$`));
          next += dropped === null ? 1 : Number(dropped[1]);
        }
        expect(next).toBe(written);
      }),
      { numRuns: 60 },
    );
  });
});
