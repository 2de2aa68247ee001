import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { RegistryTable } from '../../protocol/registry.ts';
import { deadline } from '../support/slowness.ts';
import { endOfPodd } from '../support/podd-end.ts';
import { PODD, TempPod } from '../support/temp-pod.ts';
import { until } from '../support/until.ts';

const WRITES = `
[[steps]]
[[steps.tool_calls]]
name = "Write"
arguments = { file_path = "{{workspace}}/new.txt", content = "x" }
[[steps]]
text = "done"
`;
const SAYS = 'loop = true\n[[steps]]\ntext = "hello"\n';

function tableOf(pod: TempPod): RegistryTable {
  return JSON.parse(readFileSync(join(pod.registry, 'scope.json'), 'utf8')) as RegistryTable;
}

describe('podd', () => {
  test('SCOPE-7 EXIT-1 INV-11: a second Pod that wants the same folder ends with 75 and names the first; kill -9 of that frees it at once', async () => {
    await using first = new TempPod({ script: SAYS, name: 'first' });
    await first.start();
    await using second = new TempPod({
      script: SAYS,
      name: 'second',
      registry: first.registry,
      target: first.workspace,
    });
    const refused = endOfPodd(second);
    expect(refused).toMatchObject({ code: 75 });
    expect(refused.says).toContain(`${first.workspace} is written by Pod first (pid ${first.pid})`);
    expect(refused.says.trim().split('\n')).toHaveLength(1);
    expect(existsSync(second.state), 'a refused Pod makes no state').toBe(false);
    await first.kill9();
    await second.start();
    expect(tableOf(second).allocations.map(({ pod }) => pod)).toEqual(['second']);
  });

  test('SCOPE-11: a stopped holder keeps its scope', async () => {
    await using first = new TempPod({ script: SAYS, name: 'first' });
    await first.start();
    first.signal('SIGSTOP');
    await using second = new TempPod({
      script: SAYS,
      name: 'second',
      registry: first.registry,
      target: join(first.workspace, 'below'),
    });
    expect(endOfPodd(second)).toMatchObject({ code: 75 });
    first.signal('SIGCONT');
    using client = await first.client();
    await expect(client.call('Run', { input: 'go' })).resolves.toMatchObject({ text: 'hello' });
  });

  test('SCOPE-5 START-3 INV-14: ready means that the scope is held, the store open and the socket served; a moved registry is told', async () => {
    await using pod = new TempPod({ script: SAYS });
    const ready = await pod.start();
    expect(ready.registry).toBe(pod.registry);
    const [row] = tableOf(pod).allocations;
    expect(row).toMatchObject({
      pod: 'p',
      pid: ready.pid,
      epoch: ready.epoch,
      socket: ready.socket,
      store: join(pod.state, 'db'),
      allow: [{ target: pod.workspace, permission: 'write', recursive: true }],
    });
    using client = await pod.client();
    const status = await client.call('GetStatus', {});
    expect(status).toMatchObject({ registry: pod.registry, epoch: ready.epoch, parent: null });
    pod.signal('SIGTERM');
    expect(await pod.exit()).toBe(0);
    expect(tableOf(pod).allocations).toEqual([]);
  });

  test('SCOPE-19: an epoch is never repeated, by a registry that begins anew or a store that does', async () => {
    await using pod = new TempPod({ script: SAYS });
    const epochs: number[] = [];
    const once = async (): Promise<void> => {
      epochs.push((await pod.start()).epoch);
      pod.signal('SIGTERM');
      expect(await pod.exit()).toBe(0);
    };
    await once();
    rmSync(pod.registry, { recursive: true });
    await once();
    rmSync(pod.state, { recursive: true });
    await once();
    expect(new Set(epochs).size).toBe(3);
    expect(epochs).toEqual(epochs.toSorted((a, b) => a - b));
  });

  test('SCOPE-19 EXIT-1: a Pod whose row is gone touches nothing more: it tells its clients and ends with 75', async () => {
    await using pod = new TempPod({ script: WRITES });
    await pod.start();
    using client = await pod.client();
    await client.call('Subscribe', {});
    const table = tableOf(pod);
    mkdirSync(pod.registry, { recursive: true });
    rmSync(join(pod.registry, 'p'), { recursive: true });
    writeFileSync(
      join(pod.registry, 'scope.json'),
      JSON.stringify({ ...table, epoch: 99, allocations: [] }),
    );
    await expect(client.call('Run', { input: 'go' })).rejects.toMatchObject({
      data: { code: 'fenced' },
    });
    expect(existsSync(join(pod.workspace, 'new.txt'))).toBe(false);
    expect(client.events.map(({ event }) => event)).toContain('fenced');
    expect(await pod.exit()).toBe(75);
    expect(pod.stderr).toContain('lost its scope');
    expect(readdirSync(join(pod.folder, 'run'))).toEqual([]);
    expect((await pod.start()).epoch).toBe(100);
  });

  test('START-4: a stop while a start waits for the registry ends it at once, with 0', async () => {
    await using pod = new TempPod({ script: SAYS });
    await pod.start();
    pod.signal('SIGTERM');
    await pod.exit();
    await using holder = await holdLock(pod.registry);
    const args = [PODD, '--manifest', join(pod.folder, 'pod.toml')];
    const waiting = spawn(process.execPath, args, { cwd: pod.workspace, env: pod.env() });
    const exit = once(waiting, 'exit');
    await until(() => holder.isWaitedFor(waiting.pid ?? 0), 'podd to wait for the lock');
    const before = Date.now();
    waiting.kill('SIGTERM');
    expect(await exit).toEqual([0, null]);
    expect(Date.now() - before).toBeLessThan(deadline(5_000));
  });
});

/** Another program holds the registry's lock. */
async function holdLock(
  folder: string,
): Promise<AsyncDisposable & { readonly isWaitedFor: (pid: number) => boolean }> {
  const path = join(folder, 'scope.lock');
  const program = `const fx = require('fs-native-extensions');
    const fd = require('node:fs').openSync(${JSON.stringify(path)}, 'r+');
    fx.waitForLockSync(fd); process.stdout.write('held'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  return {
    isWaitedFor: (pid) =>
      readdirSync(`/proc/${pid}/fd`).some((fd) => linksTo(`/proc/${pid}/fd/${fd}`, path)),
    [Symbol.asyncDispose]: async () => {
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
    },
  };
}

function linksTo(link: string, path: string): boolean {
  return spawnSync('readlink', [link], { encoding: 'utf8' }).stdout.trim() === path;
}
