import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { deadline } from '../support/slowness.ts';
import { read, ROOT } from '../support/source-tree.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

type Ended = { readonly code: number | null; readonly pid: number; readonly output: string };

/** In a process group of its own, by which what it leaves behind can be found. */
async function runBench(temp: string, args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [join(ROOT, 'scripts/run-bench.js'), ...args], {
    env: { PATH: process.env['PATH'], TMPDIR: temp },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const timer = setTimeout(() => {
    process.kill(-(child.pid ?? 0), 'SIGKILL');
  }, deadline(20_000));
  await once(child, 'close');
  clearTimeout(timer);
  return { code: child.exitCode, pid: child.pid ?? 0, output };
}

/** Nobody of its group is left. */
function isGone(group: number): boolean {
  try {
    process.kill(-group, 0);
    return false;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return true;
    throw error;
  }
}

describe('scripts/run-bench.js', () => {
  test('measures what is asked for, writes it, and leaves nothing behind', async () => {
    await using folder = await tempFolder();
    const temp = join(folder.path, 'tmp');
    mkdirSync(temp);
    const json = join(folder.path, 'bench.json');
    const { code, pid, output } = await runBench(temp, [
      ...['--quick', '--rounds', '1', '--only', 'SPEED-7'],
      ...['--json', json, '--out', join(folder.path, 'out')],
    ]);
    expect(code, output).toBe(0);
    expect(output).toMatch(/^SPEED-7 +durable append +[\d.]+ ms +[\d.]+ ms +[\d.]+×/m);
    const { figures } = JSON.parse(readFileSync(json, 'utf8')) as {
      figures: readonly { id: string; worst: number; rounds: readonly unknown[] }[];
    };
    expect(figures.map(({ id, rounds }) => [id, rounds.length])).toEqual([['SPEED-7', 1]]);
    expect(figures[0]?.worst).toBeGreaterThan(0);
    expect(Number.isFinite(figures[0]?.worst)).toBe(true);
    expect(existsSync(join(folder.path, 'out/benchmarks.svg'))).toBe(true);
    expect(readdirSync(temp)).toEqual([]);
    expect(readdirSync(ROOT).filter((name) => name.startsWith('dist.tmp-bench-'))).toEqual([]);
    await until(() => isGone(pid), 'the end of all its processes');
  });

  test('refuses what it does not know, and says what there is', async () => {
    await using folder = await tempFolder();
    const { code, output } = await runBench(folder.path, ['--only', 'SPEED-99']);
    expect(code).toBe(64);
    expect(output).toContain('there are SPEED-1, SPEED-2, SPEED-3, SPEED-4, SPEED-7, SPEED-12');
  });
});

test('the page of the benchmarks has a row and a paragraph for every figure', () => {
  const page = read('docs/benchmarks.md');
  const paragraphs = [...page.matchAll(/^\*\*(SPEED-\d+),/gm)].map(([, id]) => id);
  const rows = [...page.matchAll(/^\| (SPEED-\d+) \|/gm)].map(([, id]) => id);
  const ids = ['SPEED-1', 'SPEED-2', 'SPEED-3', 'SPEED-4', 'SPEED-7', 'SPEED-12'];
  expect(paragraphs).toEqual(ids);
  expect([...new Set(rows)]).toEqual(ids);
  for (const picture of ['benchmarks.svg', 'context.svg']) {
    expect(page).toContain(`](${picture})`);
    expect(existsSync(join(ROOT, 'docs', picture))).toBe(true);
  }
});
