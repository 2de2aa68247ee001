import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { deadline } from '../support/slowness.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { PODD } from '../support/temp-pod.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const FOLDER = join(ROOT, 'test/fixtures/manifests/broken');
const EXPECTED = JSON.parse(readFileSync(join(FOLDER, 'expected.json'), 'utf8')) as Record<
  string,
  string
>;
/** Of those that `manifest-broken` looks at in its own process, so many by the command. */
const EVERY = 3;
/** Enough to keep both processors busy. */
const AT_ONCE = 4;

type End = { readonly code: unknown; readonly out: string; readonly says: string };

async function check(file: string, home: string): Promise<End> {
  return await new Promise((resolve) => {
    execFile(
      process.execPath,
      [PODD, '--bare', '--manifest', file, '--check'],
      { env: { PATH: process.env['PATH'], HOME: home }, timeout: deadline(20_000) },
      (error, out, says) => {
        resolve({ code: error?.code ?? 0, out, says });
      },
    );
  });
}

test('MAN-4 MAN-6 EXIT-1: of the broken manifests every third is told by the command, in one line: where, what was expected, the nearest key', async () => {
  await using home = await tempFolder();
  const names = Object.keys(EXPECTED);
  const files = readdirSync(FOLDER).filter((name) => name.endsWith('.toml'));
  expect(files.map((name) => name.slice(0, -'.toml'.length)).sort()).toEqual(names.toSorted());
  expect(names.length).toBeGreaterThan(40);
  const told: Record<string, End> = {};
  const waiting = names.filter((_, index) => index % EVERY === 0);
  expect(waiting.length).toBeGreaterThan(20);
  const work = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift())
      told[name] = await check(join(FOLDER, `${name}.toml`), home.path);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  for (const [name, { code, out, says }] of Object.entries(told)) {
    expect({ name, code, out }).toEqual({ name, code: 78, out: '' });
    const file = join(FOLDER, `${name}.toml`);
    const where = says.startsWith(`podd: manifest ${file}: `) ? `${file}: ` : `${file} `;
    const expected = EXPECTED[name]?.replaceAll('{{root}}/', ROOT);
    expect(says, name).toBe(`podd: manifest ${where}${expected}\n`);
  }
  expect(readdirSync(home.path)).toEqual([]);
  expect(JSON.stringify(told)).not.toContain('hunter2');
});

test('MAN-4 INV-12: a thousand problems are told in one short line, and none of it moves a terminal', async () => {
  await using home = await tempFolder();
  const file = join(home.path, 'many.toml');
  const lines = Array.from({ length: 1000 }, (_, n) => `"k\\u001b[31m${n}" = 1`);
  writeFileSync(file, `${lines.join('\n')}\n`);
  const { code, says } = await check(file, home.path);
  expect(code).toBe(78);
  expect(says).toMatch(/^[^\u0000-\u001f]+\n$/);
  expect(says).toContain('problems more');
  expect(says.length).toBeLessThan(10_000);
});
