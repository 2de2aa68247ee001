import { afterEach, describe, expect, test, vi } from 'vitest';
import { LIMITS } from '../../../daemon/core/limits.ts';
import { ok, refuse } from '../../../daemon/core/result.ts';
import type { Log } from '../../../daemon/ports/log.ts';
import type { Spool } from '../../../daemon/ports/spool.ts';
import type { Bench } from '../../support/pod-bench.ts';
import { aborted, calls, podBench, says, tool } from '../../support/pod-bench.ts';
import { SILENT } from '../../support/temp-journal.ts';
import { until } from '../../support/until.ts';

/** More than the bench's cap of 1000 bytes. */
const LONG = 'ä'.repeat(2_000);
const long = tool('Long', () => Promise.resolve({ summary: 'long', content: LONG }));

afterEach(() => {
  vi.useRealTimers();
});

async function spoolBench(keep: Spool['keep'], log: Log = SILENT): Promise<Bench> {
  return await podBench({
    answers: [calls(['Long', {}]), says('ok')],
    tools: [long],
    parts: { spool: { keep }, log },
  });
}

function contentOf(bench: Bench): string {
  const [result] = bench.items().filter((item) => item.type === 'tool_result');
  expect(result).toMatchObject({ callId: 'c1', summary: 'long' });
  expect(result?.isError).toBeUndefined();
  const content = result?.content ?? '';
  expect(Buffer.byteLength(content)).toBeLessThanOrEqual(1000);
  return content;
}

function logTo(lines: string[]): Log {
  const line: Log['warn'] = (message, fields) => {
    lines.push(`${message} ${JSON.stringify(fields)}`);
  };
  return { ...SILENT, warn: line, error: line };
}

describe('runCalls', () => {
  test('LOOP-4: content over its cap is kept whole before its result is stored, and its last line says where', async () => {
    const kept: string[] = [];
    let storedBefore: number | null = null;
    await using bench = await spoolBench(({ tool: name, text }) => {
      kept.push(name, text);
      storedBefore = bench.entries().filter(({ kind }) => kind === 'tool_results').length;
      return Promise.resolve(ok({ path: '/spool/7-Long', bytesGone: 0 }));
    });
    await bench.pod.run({ input: 'go' });
    expect(kept).toEqual(['Long', LONG]);
    expect(storedBefore).toBe(0);
    const content = contentOf(bench);
    const mark = /\n\[cut: (\d+) more bytes; the whole can be read in \/spool\/7-Long\]$/.exec(
      content,
    );
    expect(Number(mark?.[1])).toBe(4_000 - Buffer.byteLength(content.slice(0, mark?.index)));
    expect(content.slice(0, mark?.index)).toMatch(/^ä+$/);
  });

  test('LOOP-4 PATH-3: where the kept output has no middle, the line does not call it whole', async () => {
    await using bench = await spoolBench(() =>
      Promise.resolve(ok({ path: '/spool/7-Long', bytesGone: 300 })),
    );
    await bench.pod.run({ input: 'go' });
    expect(contentOf(bench)).toMatch(
      /more bytes; all but 300 bytes of its middle can be read in \/spool\/7-Long\]$/,
    );
  });

  test('LOOP-4: what fits its cap is kept nowhere', async () => {
    let asked = 0;
    const short = tool('Long', () => Promise.resolve({ summary: 's', content: 'x'.repeat(1_000) }));
    await using bench = await podBench({
      answers: [calls(['Long', {}]), says('ok')],
      tools: [short],
      parts: {
        spool: {
          keep: () => {
            asked += 1;
            return Promise.resolve(refuse('no'));
          },
        },
      },
    });
    await bench.pod.run({ input: 'go' });
    expect(asked).toBe(0);
  });

  test.each([
    [
      'refuses',
      () => Promise.resolve(refuse('no space left on device')),
      'no space left on device',
    ],
    [
      'throws',
      () => Promise.reject(new Error('/secret')),
      'for a reason of the daemon’s own; see its log',
    ],
  ])(
    'LOOP-4: a spool that %s fails no call: the line says why, and so does the log',
    async (_how, keep, why) => {
      const lines: string[] = [];
      await using bench = await spoolBench(keep, logTo(lines));
      await expect(bench.pod.run({ input: 'go' })).resolves.toMatchObject({ outcome: 'finished' });
      expect(contentOf(bench)).toMatch(
        new RegExp(`more bytes; the whole was not kept: ${why}\\]$`),
      );
      const said = lines.filter((line) => line.includes('could not be kept'));
      expect(said).toHaveLength(1);
      expect(said[0]).toContain('"callId":"c1"');
    },
  );

  test.each([
    ['ends at its signal', (signal: AbortSignal) => aborted(signal)],
    ['never ends', () => new Promise<never>(() => undefined)],
  ])(
    'LOOP-4 INV-6: a spool that hangs and %s holds a result up for its deadline',
    async (_how, hang) => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      await using bench = await spoolBench((_output, signal) => hang(signal));
      const report = bench.pod.run({ input: 'go' });
      await vi.advanceTimersByTimeAsync(LIMITS.spoolMs + LIMITS.toolAbortMs + 1);
      await expect(report).resolves.toMatchObject({ outcome: 'finished' });
      expect(contentOf(bench)).toMatch(
        new RegExp(`the whole was not kept: the disk took longer than ${LIMITS.spoolMs} ms\\]$`),
      );
      vi.useRealTimers();
    },
  );

  test('LOOP-3 LOOP-4: a cancel while an output is being kept leaves the call its result', async () => {
    let isKeeping = false;
    await using bench = await spoolBench(async (_output, signal) => {
      isKeeping = true;
      return await aborted(signal);
    });
    const report = bench.pod.run({ input: 'go' });
    await until(() => isKeeping, 'the output to be kept');
    await expect(bench.pod.cancel()).resolves.toMatchObject({ quiescent: true, survivors: [] });
    await expect(report).resolves.toMatchObject({ outcome: 'cancelled' });
    expect(contentOf(bench)).toMatch(/the whole was not kept: cancelled\]$/);
  });
});
