import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { podctl } from '../../client/podctl/program.ts';
import { type Behaviour, FakePod } from '../support/fake-pod.ts';
import { FakeShell } from '../support/fake-shell.ts';
import { tempFolder } from '../support/temp-folder.ts';

const RECORD = { cacheRead: 5, cacheWrite: 0, output: 2, kind: 'run', at: 0 };
const record = (index: number): object => ({
  ...RECORD,
  historyLen: index + 1,
  inputTotal: 10 * (index + 1),
});

/** A Pod with so many records, which goes over to another session after each answer. */
function spent(count: number, headHash: string | null = 'h'): Behaviour {
  let asked = 0;
  return (request, pod) => {
    asked += 1;
    if (request.method === 'GetStatus') {
      const occupancy = { tokens: 0, source: 'measured', limit: 90_000 };
      pod.answer(request, { sessionId: `s${asked}`, headHash, occupancy });
      return;
    }
    const { from, limit } = request.params as { from: number; limit: number };
    const whole = Array.from({ length: count }, (_, index) => record(index));
    pod.answer(request, { records: whole.slice(from, from + limit) });
  };
}

async function usage(fake: FakeShell, pod: FakePod, ...flags: string[]): Promise<number> {
  return await podctl(['usage', pod.socket, ...flags], fake.shell, '0');
}

const pagesOf = (pod: FakePod): unknown[] =>
  pod.asked.filter(({ method }) => method === 'GetUsage').map(({ params }) => params);

describe('podctl usage', () => {
  test.each([
    [499, [0]],
    [500, [0, 500]],
    [1_203, [0, 500, 1_000]],
  ])('CLI-2: of %i records it shows all, page by page, of one session', async (count, starts) => {
    await using pod = await FakePod.listen(spent(count));
    const fake = new FakeShell();
    expect(await usage(fake, pod)).toBe(0);
    expect(fake.outText.trimEnd().split('\n')).toHaveLength(count + 2);
    expect(fake.outText).toContain(`${count.toLocaleString('en-US')} requests`);
    expect(pagesOf(pod)).toEqual(starts.map((from) => ({ sessionId: 's1', from, limit: 500 })));
  });

  test('CLI-2: --json prints the records whole, of the session that is asked for', async () => {
    await using pod = await FakePod.listen(spent(2));
    const fake = new FakeShell();
    expect(await usage(fake, pod, '--json', '--session', 's0')).toBe(0);
    const lines = fake.outText.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([record(0), record(1)]);
    expect(pagesOf(pod)).toEqual([{ sessionId: 's0', from: 0, limit: 500 }]);
  });

  test('CLI-2: a Pod that had no run has used nothing', async () => {
    await using pod = await FakePod.listen(spent(0, null));
    const fake = new FakeShell();
    expect(await usage(fake, pod)).toBe(0);
    expect(fake.outText).toContain('0 requests');
    expect(pagesOf(pod)).toEqual([]);
  });

  test('CLI-2: --svg draws the requests and the window', async () => {
    await using folder = await tempFolder();
    await using pod = await FakePod.listen(spent(3));
    const fake = new FakeShell({ cwd: folder.path });
    expect(await usage(fake, pod, '--svg', 'plot.svg')).toBe(0);
    const svg = readFileSync(join(folder.path, 'plot.svg'), 'utf8');
    expect(/<polyline points="([^"]*)"/.exec(svg)?.[1]?.split(' ')).toHaveLength(3);
    expect(svg).toContain('data-limit="90000"');
  });

  test('CLI-3: a plot that can’t be written ends it with 1 and says which and why', async () => {
    await using folder = await tempFolder();
    await using pod = await FakePod.listen(spent(1));
    const fake = new FakeShell({ cwd: folder.path });
    expect(await usage(fake, pod, '--svg', 'no/plot.svg')).toBe(1);
    expect(fake.errText).toMatch(/^podctl: no\/plot\.svg can't be written: ENOENT/);
  });
});
