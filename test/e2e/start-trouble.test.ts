import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { endOfPodd } from '../support/podd-end.ts';
import { deadline } from '../support/slowness.ts';
import { PODD, TempPod } from '../support/temp-pod.ts';
import { until } from '../support/until.ts';

const SAYS = 'loop = true\n[[steps]]\ntext = "hello"\n';

describe('podd', () => {
  test('PROTO-16: a start that a live socket refuses leaves the Pod that serves there all that it has', async () => {
    await using pod = new TempPod({ script: SAYS });
    await pod.start();
    const runtime = join(pod.folder, 'run', pod.name);
    const before = readFileSync(join(runtime, 'pid'), 'utf8');
    const env = {
      PODD_SCOPE_REGISTRY: join(pod.folder, 'other-registry'),
      PODD_STATE_DIR: join(pod.folder, 'other-state'),
    };
    expect(endOfPodd(pod, undefined, { env })).toMatchObject({ code: 75 });
    expect(readFileSync(join(runtime, 'pid'), 'utf8')).toBe(before);
    using client = await pod.client();
    await expect(client.call('Run', { input: 'go' })).resolves.toMatchObject({ text: 'hello' });
  });

  test('SCOPE-13: a refused start that found the registry damaged says so in its one line', async () => {
    await using first = new TempPod({ script: SAYS, name: 'first' });
    await first.start();
    const { registry, workspace } = first;
    await using second = new TempPod({ script: SAYS, name: 'second', registry, target: workspace });
    writeFileSync(join(registry, 'scope.json'), '{');
    const refused = endOfPodd(second);
    expect(refused).toMatchObject({ code: 75 });
    expect(refused.says).toContain('(before that: the scope registry was damaged and is rebuilt');
    expect(refused.says.trim().split('\n')).toHaveLength(1);
  });

  test('SCOPE-13 START-3: a start that fails with its log open leaves the lines in it', async () => {
    await using pod = new TempPod({ script: SAYS });
    await pod.start();
    await pod.kill9();
    writeFileSync(join(pod.registry, 'scope.json'), '{');
    rmSync(join(pod.folder, 'run', pod.name), { recursive: true });
    mkdirSync(join(pod.folder, 'run', pod.name, 'sock'), { recursive: true });
    writeFileSync(join(pod.state, 'podd.log'), '');
    expect(endOfPodd(pod)).toMatchObject({ code: 73 });
    expect(readFileSync(join(pod.state, 'podd.log'), 'utf8')).toContain('registry was damaged');
  });

  test('START-4: a runtime folder that a killed process had moved aside is swept, and no stop fails by it', async () => {
    await using pod = new TempPod({ script: SAYS });
    const run = join(pod.folder, 'run');
    mkdirSync(join(run, '.gone-1/p'), { recursive: true });
    const ready = await pod.start();
    mkdirSync(join(run, `.gone-${ready.pid}/p`), { recursive: true });
    pod.signal('SIGTERM');
    expect(await pod.exit()).toBe(0);
    expect(readdirSync(run)).toEqual([]);
  });

  test('START-4 INV-6: a start that hangs on a file ends when it is told to, and by a second signal at once', async () => {
    await using pod = new TempPod({ script: SAYS });
    await pod.start();
    pod.signal('SIGTERM');
    await pod.exit();
    const format = join(pod.state, 'db/format');
    rmSync(format);
    spawnSync('mkfifo', [format]);
    for (const signals of [1, 2]) {
      const args = [PODD, '--manifest', join(pod.folder, 'pod.toml')];
      const child = spawn(process.execPath, args, { cwd: pod.workspace, env: pod.env() });
      const exit = once(child, 'exit');
      await until(() => isClaimed(pod), 'the claim', 10_000);
      const begun = performance.now();
      for (let n = 0; n < signals; n += 1) {
        child.kill('SIGTERM');
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      const [, signal] = (await exit) as [number | null, string | null];
      if (signals === 2) expect(signal).toBe('SIGTERM');
      expect(performance.now() - begun).toBeLessThan(deadline(5_000));
      rmSync(join(pod.registry, 'scope.json'), { force: true });
      rmSync(join(pod.registry, 'p'), { recursive: true, force: true });
    }
  });

  test('PATH-3 EXIT-1: 73 for a spool folder that is a link', async () => {
    await using pod = new TempPod({ script: SAYS });
    mkdirSync(pod.state, { recursive: true });
    mkdirSync(join(pod.folder, 'other'));
    symlinkSync(join(pod.folder, 'other'), join(pod.state, 'spool'));
    expect(endOfPodd(pod)).toMatchObject({
      code: 73,
      says: expect.stringContaining('spool is a link') as string,
    });
  });

  test('EXIT-1: 78 for a relative manifest in a folder that is gone', async () => {
    await using pod = new TempPod({ script: SAYS });
    const gone = join(pod.folder, 'gone');
    mkdirSync(gone);
    const shell = 'rmdir "$PWD" && exec "$@"';
    const args = ['-c', shell, 'bash', process.execPath, PODD, '--manifest', 'pod.toml'];
    const ended = spawnSync('bash', args, { cwd: gone, env: pod.env(), encoding: 'utf8' });
    expect(ended).toMatchObject({
      status: 78,
      stderr: expect.stringContaining('the working directory is gone') as string,
    });
  });
});

function isClaimed(pod: TempPod): boolean {
  return existsSync(join(pod.registry, 'p/allocation.json'));
}
