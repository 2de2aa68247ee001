import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { endOfPodd } from '../support/podd-end.ts';
import { ProjectPod } from '../support/project-pod.ts';
import { deadline } from '../support/slowness.ts';
import { PODD, TempPod } from '../support/temp-pod.ts';
import { until } from '../support/until.ts';

const SCRIPT = 'loop = true\n[[steps]]\ntext = "hello"\n';

test('MAN-3 MAN-5: a project’s manifest means the same named as found: its paths start at the project', async () => {
  await using pod = new ProjectPod();
  const file = pod.own(
    'manifest.toml',
    `pod.name = "p"
provider = { kind = "scripted", script = "../script.toml" }
scope.allow = [{ target = ".", permission = "write" }]
scope.deny = [{ target = "secrets", permission = "read" }]
`,
  );
  const found = pod.check();
  expect(found.code).toBe(78);
  expect(found.says).toContain('or name the file with --manifest');
  const named = endOfPodd(pod, ['--manifest', file, '--print-manifest']).out;
  expect(named).toContain(`target = "${pod.workspace}/secrets"`);
  expect(named).toContain(`target = "${pod.workspace}"\n`);
  expect(named).toContain(`script = "${pod.workspace}/../script.toml"`);
  expect(pod.check('--manifest', file)).toMatchObject({ code: 0, says: '' });
});

test('MAN-3: what podctl init makes can be named, too', async () => {
  await using pod = new ProjectPod();
  pod.podctl('init');
  expect(pod.check('--manifest', '.podd/manifest.toml')).toMatchObject({ code: 0, says: '' });
});

test('START-1 START-2 START-5: a session of a Pod that has none is refused before anything is made', async () => {
  await using pod = new ProjectPod();
  pod.own(
    'manifest.toml',
    'pod.name = "p"\nscope.allow = [{ target = ".", permission = "write" }]\n',
  );
  const id = '0190AAAA-0000-7000-8000-00000000000C';
  const { code, says } = endOfPodd(pod, ['--session', id]);
  expect(code).toBe(78);
  expect(says).toContain(`--session ${id.toLowerCase()}: this Pod has no sessions yet`);
  expect(existsSync(join(pod.folder, 'state'))).toBe(false);
});

describe('podd --manifest -', () => {
  const toml = (pod: TempPod): string => readFileSync(join(pod.folder, 'pod.toml'), 'utf8');

  test.each(['SIGTERM', 'SIGINT'] as const)(
    'EXIT-1 START-1: %s ends it while stdin is open',
    async (signal) => {
      await using pod = new TempPod({ script: SCRIPT });
      const args = [PODD, '--bare', '--manifest', '-', '--log-stderr'];
      // Node hands over one end of a socket here; the shell, of a pipe.
      for (const command of [
        [process.execPath, ...args],
        ['/bin/sh', '-c', `{ cat; } | exec "$@"`, 'sh', process.execPath, ...args],
      ]) {
        const [program = '', ...rest] = command;
        const podd = spawn(program, rest, {
          cwd: pod.workspace,
          env: pod.env(),
          stdio: ['pipe', 'ignore', 'ignore'],
          detached: true,
        });
        podd.stdin.write('pod.name = "p"\n');
        const pid = await readerOf(podd.pid ?? 0);
        const begun = performance.now();
        const ended = once(podd, 'exit');
        process.kill(pid, signal);
        if (pid !== podd.pid) {
          await until(() => !existsSync(`/proc/${pid}`), 'the end of podd');
          podd.stdin.end();
        }
        const [code] = (await ended) as [number | null];
        expect(code).toBe(0);
        expect(performance.now() - begun).toBeLessThan(deadline(2000));
      }
    },
  );

  test('START-1: a socket, a pipe, a file and a terminal are read to their end', async () => {
    await using pod = new TempPod({ script: SCRIPT });
    const args = [PODD, '--bare', '--manifest', '-', '--check'];
    const file = join(pod.folder, 'pod.toml');
    const says = 'podd: a Pod p can be made of standard input here\n';
    const sh = (command: string): string =>
      spawnSync('/bin/sh', ['-c', command, 'sh', process.execPath, ...args], {
        cwd: pod.workspace,
        env: { ...pod.env(), FILE: file },
        encoding: 'utf8',
        timeout: deadline(20_000),
      }).stdout;
    expect(sh('"$@" <"$FILE"')).toBe(says);
    expect(sh('cat "$FILE" | "$@"')).toBe(says);
    expect(sh('{ head -c 20 "$FILE"; sleep 0.2; tail -c +21 "$FILE"; } | "$@"')).toBe(says);
    expect(sh(`script -qec "'$1' '$2' --bare --manifest - --check" /dev/null <"$FILE"`)).toContain(
      says.trim(),
    );
    const socket = spawnSync(process.execPath, args, {
      cwd: pod.workspace,
      env: pod.env(),
      input: toml(pod),
      encoding: 'utf8',
      timeout: deadline(20_000),
    });
    expect(socket.stdout).toBe(says);
  });
});

test('START-7: what can’t be written is told, and a reader that has enough is no failure', async () => {
  await using pod = new TempPod({ script: SCRIPT });
  const run = (command: string): { status: number | null; stderr: string } => {
    const args = [PODD, '--manifest', join(pod.folder, 'pod.toml'), '--print-manifest'];
    const { status, stderr } = spawnSync(
      '/bin/bash',
      ['-c', command, 'sh', process.execPath, ...args],
      { cwd: pod.workspace, env: pod.env(), encoding: 'utf8', timeout: deadline(20_000) },
    );
    return { status, stderr };
  };
  expect(run('"$@" >/dev/full')).toEqual({
    status: 73,
    stderr:
      "podd: what it has to say can't be written to stdout: ENOSPC: no space left on device, write\n",
  });
  expect(run('"$@" | true; exit "${PIPESTATUS[0]}"')).toEqual({ status: 0, stderr: '' });
});

test('START-7 MAN-4: a path with any character in it comes back as it was', async () => {
  await using pod = new TempPod({ script: SCRIPT });
  const odd = join(pod.workspace, 'a\u007f"\\ \u0001é\u202e');
  mkdirSync(odd);
  const rule = `scope.deny = [{ target = ${JSON.stringify(odd).replace('\u007f', String.raw`\u007f`)}, permission = "read" }]`;
  const print = ['--print-manifest', '--manifest'];
  // The comments name it, too.
  const file = join(odd, 'pod.toml');
  writeFileSync(file, readFileSync(join(pod.folder, 'pod.toml')));
  const first = endOfPodd(pod, [...print, file, '--overlay', rule]).out;
  const again = spawnSync(process.execPath, [PODD, '--bare', ...print, '-'], {
    cwd: pod.workspace,
    env: pod.env(),
    input: first,
    encoding: 'utf8',
    timeout: deadline(20_000),
  });
  expect(again.stderr).toBe('');
  const values = (text: string): string => text.replaceAll(/ # .*$/gm, '');
  expect(values(again.stdout)).toBe(values(first));
});

/** The podd among `leader` and its children, once it waits for more on stdin. */
async function readerOf(leader: number): Promise<number> {
  let found: number | undefined;
  await until(() => {
    found = [leader, ...childrenOf(leader)].find(waitsForStdin);
    return found !== undefined;
  }, 'a podd that waits for stdin');
  return found ?? 0;
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
}

/** One of the descriptors that Node waits for is what stdin is. */
function waitsForStdin(pid: number): boolean {
  try {
    const stdin = readlinkSync(`/proc/${pid}/fd/0`);
    return readdirSync(`/proc/${pid}/fdinfo`)
      .flatMap((fd) => [
        ...readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8').matchAll(/^tfd:\s*(\d+)/gm),
      ])
      .some(([, fd]) => readlinkSync(`/proc/${pid}/fd/${fd}`) === stdin);
  } catch {
    return false;
  }
}
