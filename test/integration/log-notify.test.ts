import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runNotify } from '../../daemon/app/service-notices.ts';
import { LIMITS } from '../../daemon/core/limits.ts';
import { deadline } from '../support/slowness.ts';
import { tempFolder } from '../support/temp-folder.ts';

const forever = new AbortController().signal;

/** A folder for PATH in which `systemd-notify` is this script. */
async function stub(folder: string, script: string): Promise<string> {
  await writeFile(join(folder, 'systemd-notify'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return `${folder}:${process.env['PATH'] ?? ''}`;
}

describe('runNotify', () => {
  test('START-3: the program gets its arguments, PATH and the socket, and nothing else of our environment', async () => {
    await using folder = await tempFolder();
    const told = join(folder.path, 'told');
    const PATH = await stub(
      folder.path,
      `printf '%s\\n' "$@" > ${told}; tr '\\0' '\\n' < /proc/$$/environ > ${told}.env`,
    );
    const run = runNotify(spawn, { PATH, NOTIFY_SOCKET: '@x' });
    expect(await run(['--no-block', 'STATUS=waits for input'], forever)).toBe('sent');
    expect(readFileSync(told, 'utf8')).toBe('--no-block\nSTATUS=waits for input\n');
    const names = readFileSync(`${told}.env`, 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split('=')[0]);
    expect(names.sort()).toEqual(['NOTIFY_SOCKET', 'PATH']);
  });

  test('START-3: a missing program, one that fails, and one that can’t be run are told apart', async () => {
    await using folder = await tempFolder();
    const empty = join(folder.path, 'empty');
    await mkdir(empty);
    expect(await runNotify(spawn, { PATH: empty })([], forever)).toBe('missing');
    const PATH = await stub(folder.path, 'exit 1');
    expect(await runNotify(spawn, { PATH })([], forever)).toBe('failed');
    await mkdir(join(empty, 'systemd-notify'));
    expect(await runNotify(spawn, { PATH: empty })([], forever)).toBe('failed');
  });

  test('START-3 INV-6: a program that hangs is ended, at its deadline or when it is told', async () => {
    await using folder = await tempFolder();
    const PATH = await stub(folder.path, 'exec sleep 600');
    const begun = performance.now();
    expect(await runNotify(spawn, { PATH })([], forever)).toBe('failed');
    expect(performance.now() - begun).toBeGreaterThan(LIMITS.notifyMs - 100);
    const stop = new AbortController();
    const end = runNotify(spawn, { PATH })([], stop.signal);
    stop.abort();
    const stopped = performance.now();
    expect(await end).toBe('failed');
    expect(performance.now() - stopped).toBeLessThan(deadline(1_000));
  });

  test('START-3: a program that can’t even be started is one that was not told, and no error of the Pod', async () => {
    await using folder = await tempFolder();
    await symlink('systemd-notify', join(folder.path, 'systemd-notify'));
    const run = runNotify(spawn, { PATH: folder.path });
    await expect(run(['READY=1'], forever)).resolves.toBe('failed');
  });
});
