import { execFileSync, spawn } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { deadline } from '../support/slowness.ts';
import { tempFolder } from '../support/temp-folder.ts';

const ROOT = join(import.meta.dirname, '../..');
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const BLOCKS = [...README.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? '');
const COMMANDS = ['scripts/quickstart\n', 'scripts/test\n'];

/** What `npm link` gives a reader, and the pause between their commands. */
const PRELUDE = `
set -eu
podd() { exec node '${ROOT}/dist/podd.js' "$@"; }
podctl() {
  [ "$1" = start ] || for ((i = 0; i < 200; i++)); do [ -S "$HOME/.podd/run/hello/sock" ] && break; sleep 0.1; done
  node '${ROOT}/dist/podctl.js' "$@"
}
end() {
  [ -z "$(jobs -p)" ] || kill -KILL $(jobs -p) 2>/dev/null || true
  [ ! -f "$HOME/.podd/run/hello/pid" ] || kill -KILL "$(cat "$HOME/.podd/run/hello/pid")" 2>/dev/null || true
}
trap end EXIT
`;

async function runBash(script: string, home: string): Promise<{ code: number; output: string }> {
  const child = spawn('bash', ['-c', script], {
    cwd: home,
    // The home of the user database is not this one, and its registry is no test's to write.
    env: {
      PATH: process.env['PATH'],
      HOME: home,
      PODD_SCOPE_REGISTRY: join(home, 'registry'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: deadline(25_000),
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const code = await new Promise<number>((resolve) => {
    child.once('close', (exitCode) => {
      resolve(exitCode ?? 1);
    });
  });
  return { code, output };
}

describe('README.md', () => {
  test('CLI-5: its two commands can be run as they stand', () => {
    expect(BLOCKS.slice(0, 2)).toEqual(COMMANDS);
    for (const command of COMMANDS) {
      accessSync(join(ROOT, command.trim()), constants.X_OK);
      execFileSync('bash', ['-n', join(ROOT, command.trim())]);
    }
  });

  test('CLI-5: its other command blocks, run from top to bottom, do what the text says', async () => {
    await using home = await tempFolder();
    const script = [PRELUDE, ...BLOCKS.slice(2)].join('\n');
    const { code, output } = await runBash(`${script}\nwait`, home.path);
    expect(code, output).toBe(0);
    expect(output).toContain('{"ready":true,"pod":"hello"');
    expect(output).toContain(`It said: Created ${home.path}/hello/work/note.txt (17 bytes)`);
    expect(output).toMatch(/^Pod hello started: pid \d+, socket /m);
    expect(output).toContain('Pod hello begins a run by it');
    expect(output).toMatch(/^> And the bread$/m);
    expect(output).toMatch(/"result":\{"runId":"[^"]+","outcome":"finished"/);
    expect(output).toContain(
      `"text":"It said: Overwrote ${home.path}/hello/work/note.txt (12 bytes)"`,
    );
    expect(readFileSync(join(home.path, 'hello/work/note.txt'), 'utf8')).toBe('Say it again');
    expect(existsSync(join(home.path, '.podd/run/hello'))).toBe(false);
  });

  test('CLI-5: every file that it links to is there', () => {
    const links = [...README.matchAll(/\]\(([^)#:]+)\)/g)].map((match) => match[1] ?? '');
    expect(links.length).toBeGreaterThan(4);
    expect(links.filter((link) => !existsSync(join(ROOT, link)))).toEqual([]);
  });
});
