import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { endOfPodd, type PoddEnd } from '../support/podd-end.ts';
import { ProjectPod } from '../support/project-pod.ts';
import { deadline } from '../support/slowness.ts';
import { PODD, TempPod } from '../support/temp-pod.ts';

const SCRIPT = 'loop = true\n[[steps]]\ntext = "hello"\n';

function feed(pod: TempPod, input: string, args: readonly string[], cwd = pod.workspace): PoddEnd {
  const { status, stderr, stdout } = spawnSync(process.execPath, [PODD, ...args], {
    cwd,
    env: pod.env(),
    encoding: 'utf8',
    input,
    timeout: deadline(20_000),
  });
  return { code: status, says: stderr, out: stdout };
}

describe('podd --print-manifest', () => {
  test('MAN-2 MAN-3 MAN-4: layers from four folders, each value with the one that said it', async () => {
    await using pod = new ProjectPod();
    pod.user(
      'manifest.toml',
      '[provider]\nkind = "scripted"\nscript = "s.toml"\n[worker]\nmax_turns = 1\n[[scope.deny]]\ntarget = "u"\npermission = "read"\n',
    );
    const file = pod.own(
      'manifest.toml',
      'pod.name = "p"\nworker.max_turns = 2\nworker.tool_output.per_tool.Read = 9\nscope.allow = [{ target = "src", permission = "write" }]\n',
    );
    const deep = join(pod.workspace, 'src/deep');
    mkdirSync(deep, { recursive: true });
    const printed = endOfPodd(
      pod,
      [
        '--print-manifest',
        ...['--overlay', 'scope.deny = [{ target = "o", permission = "write" }]'],
        ...[
          '--overlay',
          'scope.deny = [{ target = "~/h", permission = "write" }]\nworker.max_turns = 3',
        ],
      ],
      { cwd: deep },
    );
    const user = join(pod.folder, '.config/podd/manifest.toml');
    expect(printed).toEqual({
      code: 0,
      says: '',
      out: `[pod]
name = "p" # ${file}

[provider]
kind = "scripted" # ${user}
script = "${pod.folder}/.config/podd/s.toml" # ${user}
max_retries = 5 # default

[worker]
instruction = "$podd/default" # default
max_turns = 3 # --overlay (2 of 2)
notifications = "history" # default

[worker.tool_output]
default_max_bytes = 16384 # default

[worker.tool_output.per_tool]
Read = 9 # ${file}

[[scope.allow]] # ${file}
target = "${pod.workspace}/src"
permission = "write"
recursive = true

[[scope.deny]] # ${user}
target = "${pod.folder}/.config/podd/u"
permission = "read"
recursive = true

[[scope.deny]] # --overlay (1 of 2)
target = "${deep}/o"
permission = "write"
recursive = true

[[scope.deny]] # --overlay (2 of 2)
target = "${pod.folder}/h"
permission = "write"
recursive = true
`,
    });
    // START-7: fed back from another folder, it is the same Pod.
    const values = (text: string): string => text.replaceAll(/ #.*$/gm, '');
    const again = feed(pod, printed.out, ['--bare', '--manifest', '-', '--print-manifest'], '/');
    expect(values(again.out)).toBe(values(printed.out));
  });

  test('START-7 START-1: what it prints starts the same Pod from stdin, with --bare', async () => {
    await using pod = new TempPod({ script: SCRIPT });
    const printed = endOfPodd(pod, [
      ...['--manifest', join(pod.folder, 'pod.toml')],
      '--print-manifest',
    ]).out;
    expect(feed(pod, printed, ['--bare', '--manifest', '-', '--check'])).toMatchObject({
      code: 0,
      out: 'podd: a Pod p can be made of standard input here\n',
    });
    const broken = feed(pod, `${printed}\nx = 1`, ['--manifest', '-', '--check']);
    expect(broken.code).toBe(78);
    expect(broken.says).toContain('manifest standard input: ');
    const long = feed(pod, '#'.repeat(1024 * 1024 + 1), ['--manifest', '-', '--check']);
    expect(long.says).toContain('manifest standard input has more than 1048576 bytes');
  });

  test('MAN-4: no line of a path becomes a line of the manifest, and no key is shown', async () => {
    await using pod = new TempPod({ script: SCRIPT });
    const evil = join(pod.folder, 'a\n[hooks] #');
    mkdirSync(evil);
    writeFileSync(join(evil, 'm.toml'), readFileSync(join(pod.folder, 'pod.toml')));
    const { out } = endOfPodd(pod, ['--manifest', join(evil, 'm.toml'), '--print-manifest']);
    expect(out).not.toMatch(/^\[hooks/m);
    const key = 'sk-ant-REDACTED';
    const told = endOfPodd(pod, [
      ...['--manifest', join(pod.folder, 'pod.toml')],
      ...['--overlay', `provider.api_key = "${key}"\nworker.max_turns = "${key}"`],
      '--check',
    ]);
    expect(told.code).toBe(78);
    expect(told.says).toContain('provider.api_key is not known');
    expect(told.says + told.out).not.toContain(key);
  });
});

test('START-1 PATH-1: --state names where sessions are kept, --project where a manifest is looked for', async () => {
  await using pod = new ProjectPod({ args: ['--project', 'deep', '--state', 'kept'] });
  mkdirSync(join(pod.workspace, 'deep'));
  pod.own(
    'manifest.toml',
    'pod.name = "p"\nscope.allow = [{ target = ".", permission = "write" }]\n',
  );
  await pod.start();
  expect(existsSync(join(pod.workspace, 'kept/pods/p/db'))).toBe(true);
  expect(existsSync(join(pod.folder, 'state'))).toBe(false);
  const none = endOfPodd(pod, ['--project', '/', '--check']);
  expect(none.code).toBe(78);
  expect(none.says).toContain('--project /: there is no .podd/manifest.toml in it or above it');
  expect(endOfPodd(pod, ['--project', 'x', '--manifest', 'y'])).toMatchObject({ code: 64 });
  expect(endOfPodd(pod, ['--project', 'nowhere', '--check'])).toMatchObject({ code: 78 });
});

test('START-1: without any manifest podd says where it looked and what to do', async () => {
  await using pod = new TempPod({ script: SCRIPT });
  const { code, says } = endOfPodd(pod, []);
  expect(code).toBe(78);
  expect(says).toContain(`${pod.folder}/.config/podd/manifest.toml`);
  expect(says).toContain('podctl init');
  expect(endOfPodd(pod, ['--bare'])).toMatchObject({ code: 78 });
});

test('START-1 START-5: --session ID goes on with an older session, which is then the live one', async () => {
  const args: string[] = [];
  await using pod = new TempPod({ script: SCRIPT, args });
  const live = async (session: string, input: string | null): Promise<[string, number]> => {
    args.splice(0, args.length, '--session', session);
    const { sessionId } = await pod.start();
    using client = await pod.client();
    if (input !== null) await client.call('Run', { input });
    const { items } = (await client.call('GetHistory')) as { items: unknown[] };
    await pod.kill9();
    return [sessionId, items.length];
  };
  const [first] = await live('new', 'one');
  const [second] = await live('new', 'two');
  expect(second).not.toBe(first);
  expect(await live(first, null)).toEqual([first, 2]);
  expect(await live('latest', 'three')).toEqual([first, 4]);
  expect(await live(second, null)).toEqual([second, 2]);
  const unknown = endOfPodd(pod, [
    ...['--manifest', join(pod.folder, 'pod.toml')],
    ...['--session', '01900000-0000-7000-8000-000000000000'],
  ]);
  expect(unknown.code).toBe(78);
  expect(unknown.says).toContain('has no such session');
  expect(await live('latest', null)).toEqual([second, 2]);
});

describe('podctl init', () => {
  test('MAN-1 MAN-5: makes a first manifest that starts without being trusted, and replaces none', async () => {
    await using pod = new ProjectPod();
    const made = pod.podctl('init', '--name', 'first');
    const file = join(pod.workspace, '.podd/manifest.toml');
    expect(made).toMatchObject({ code: 0, says: '' });
    expect(made.out).toContain(`made ${file}\n`);
    expect(pod.check()).toMatchObject({ code: 0 });
    expect(pod.check().out).toContain('a Pod first can be made');
    const schema = /^#:schema (.+)$/m.exec(readFileSync(file, 'utf8'))?.[1] ?? '';
    expect(JSON.parse(readFileSync(schema, 'utf8'))).toMatchObject({ type: 'object' });
    const again = pod.podctl('init');
    expect(again).toMatchObject({ code: 1, out: '' });
    expect(again.says).toContain('is there already, and is left as it is');
    const alone = pod.check('--user-manifest', '/dev/null');
    expect(alone.code).toBe(78);
    const empty = join(pod.folder, 'empty.toml');
    writeFileSync(empty, '');
    expect(pod.check('--user-manifest', empty).says).toContain(
      'provider is required, but missing: it belongs into your own manifest (podctl init --user',
    );
    expect(pod.podctl('init', '--print').out).toContain('name = "ws"');
    expect(pod.podctl('init', '--name', 'No').code).toBe(64);
    expect(pod.podctl('init', '--user', '.').code).toBe(64);
    expect(pod.podctl('init', 'nowhere').says).toContain('nowhere does not exist: make it first');
  });

  test('MAN-2: makes the user’s own, for the user alone, and follows no link', async () => {
    await using pod = new TempPod({ script: SCRIPT });
    const shell = (...args: string[]): number | null =>
      spawnSync(
        process.execPath,
        [new URL('../../dist/podctl.js', import.meta.url).pathname, ...args],
        {
          cwd: pod.workspace,
          env: pod.env(),
        },
      ).status;
    expect(shell('init', '--user')).toBe(0);
    const file = join(pod.folder, '.config/podd/manifest.toml');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(pod.folder, '.config/podd')).mode & 0o777).toBe(0o700);
    expect(shell('init', '--user')).toBe(1);
    mkdirSync(join(pod.folder, 'elsewhere'));
    symlinkSync('../elsewhere', join(pod.workspace, '.podd'));
    expect(shell('init')).toBe(1);
    expect(existsSync(join(pod.folder, 'elsewhere/manifest.toml'))).toBe(false);
  });
});
