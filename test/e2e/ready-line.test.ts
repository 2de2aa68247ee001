import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { endOfPodd } from '../support/podd-end.ts';
import { PODD, TempPod } from '../support/temp-pod.ts';
import { until } from '../support/until.ts';
import { WireClient } from '../support/wire-client.ts';

const SAYS = 'loop = true\n[[steps]]\ntext = "hello"\n';
const { O_RDWR, O_NONBLOCK } = constants;
const PAGE = Buffer.alloc(4096);

function status(pod: TempPod): { isThere: () => boolean } {
  return { isThere: () => readdirSync(pod.folder).includes('run') && hasSocket(pod) };
}

function hasSocket(pod: TempPod): boolean {
  return spawnSync('test', ['-S', pod.socket]).status === 0;
}

describe('podd', () => {
  test('START-3 EXIT-1: 64 for a descriptor that nobody handed to it, before anything is opened', async () => {
    await using pod = new TempPod({ script: SAYS });
    for (let fd = 3; fd < 32; fd += 1) {
      const ended = endOfPodd(pod, [
        '--manifest',
        join(pod.folder, 'pod.toml'),
        '--ready-fd',
        `${fd}`,
      ]);
      expect(ended.code, `descriptor ${fd}: ${ended.says}`).toBe(64);
      expect(ended.says).toContain(`--ready-fd ${fd}`);
    }
    expect(readdirSync(pod.folder).sort()).toEqual(['pod.toml', 'script.toml', 'ws']);
  });

  test('START-3 INV-6: a full ready pipe holds up nothing, and gets its line when it is read', async () => {
    await using pod = new TempPod({ script: SAYS });
    const fifo = join(pod.folder, 'fifo');
    spawnSync('mkfifo', [fifo]);
    const pipe = openSync(fifo, O_RDWR | O_NONBLOCK);
    let filled = 0;
    try {
      for (;;) filled += writeSync(pipe, PAGE);
    } catch {
      expect(filled).toBeGreaterThan(0);
    }
    const args = [PODD, '--manifest', join(pod.folder, 'pod.toml'), '--ready-fd', '3'];
    const child = spawn(process.execPath, args, {
      cwd: pod.workspace,
      env: pod.env(),
      stdio: ['ignore', 'ignore', 'ignore', pipe],
    });
    const exit = once(child, 'exit');
    try {
      await until(status(pod).isThere, 'the socket');
      using client = await WireClient.open(pod.socket);
      await expect(client.call('Run', { input: 'go' })).resolves.toMatchObject({ text: 'hello' });
      let text = '';
      await until(() => {
        text += readSome(pipe);
        return text.includes('\n');
      }, 'the ready line');
      expect(JSON.parse(text.replaceAll('\0', ''))).toMatchObject({ ready: true, pod: 'p' });
      child.kill('SIGTERM');
      expect(await exit).toEqual([0, null]);
    } finally {
      child.kill('SIGKILL');
      closeSync(pipe);
    }
  });

  test('START-3: what it shares with others stays as they have it: no descriptor of its parent becomes non-blocking', async () => {
    await using pod = new TempPod({ script: SAYS });
    const shell = `exec < <(sleep 60) > >(cat >/dev/null) 2> >(cat >/dev/null); exec "$@"`;
    const args = ['-c', shell, 'bash', process.execPath, PODD, '--manifest'];
    const child = spawn('bash', [...args, join(pod.folder, 'pod.toml')], {
      cwd: pod.workspace,
      env: pod.env(),
      stdio: 'ignore',
    });
    const exit = once(child, 'exit');
    await until(status(pod).isThere, 'the socket');
    // What is only loaded for a first run is there then.
    using client = await WireClient.open(pod.socket);
    await expect(client.call('Run', { input: 'go' })).resolves.toMatchObject({ text: 'hello' });
    const flags = [0, 1, 2].map((fd) => {
      const info = readFileSync(`/proc/${child.pid}/fdinfo/${fd}`, 'utf8');
      return Number.parseInt(/^flags:\s*(\d+)/m.exec(info)?.[1] ?? '', 8) & O_NONBLOCK;
    });
    child.kill('SIGTERM');
    await exit;
    expect(flags).toEqual([0, 0, 0]);
  });
});

function readSome(pipe: number): string {
  try {
    const bytes = Buffer.alloc(65_536);
    return bytes.toString('utf8', 0, readSync(pipe, bytes));
  } catch {
    return '';
  }
}
