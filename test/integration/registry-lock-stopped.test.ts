import { join } from 'node:path';
import { rmdir } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { openRegistryFolder } from '../../daemon/scope/registry-folder.ts';
import { bundleFixture } from '../support/bundle-fixture.ts';
import { startFixture } from '../support/fixture-process.ts';
import { deadline } from '../support/slowness.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { SILENT } from '../support/temp-journal.ts';

const ask = { pod: 'next', pid: process.pid };
const { signal } = new AbortController();

describe('the registry’s lock, when its holder stands still', () => {
  test('SCOPE-12 SCOPE-5: kernel: a stopped holder keeps the lock, and who waits is told its name', async () => {
    await using temp = await tempFolder();
    await using fixture = await bundleFixture('registry-holder.ts');
    await using holder = startFixture(fixture.path, [temp.path, 'kernel', 'stopped']);
    await holder.waitForLines(2);
    process.kill(holder.pid, 'SIGSTOP');
    const options = { wanted: '', log: SILENT, limitMs: 200 };
    const lock = await openRegistryFolder(temp.path, options);
    await expect(lock.acquire(ask, signal)).rejects.toMatchObject({
      code: 'taken',
      message: expect.stringContaining(`held by Pod stopped (pid ${holder.pid})`) as unknown,
    });
    process.kill(holder.pid, 'SIGCONT');
    process.kill(holder.pid, 'SIGUSR2');
    expect(await holder.waitForLines(3)).toContain('ours true');
    await using held = await lock.acquire(ask, signal);
    expect(await held.isOurs()).toBe(true);
  });

  test('SCOPE-12: portable: a holder that stood still too long finds its lock lost, and leaves the next one’s alone', async () => {
    await using temp = await tempFolder();
    await using fixture = await bundleFixture('registry-holder.ts');
    await using holder = startFixture(fixture.path, [temp.path, 'portable', 'stopped']);
    await holder.waitForLines(2);
    process.kill(holder.pid, 'SIGSTOP');
    const options = { wanted: '', log: SILENT, limitMs: deadline(10_000) };
    const lock = await openRegistryFolder(temp.path, options);
    await using held = await lock.acquire(ask, signal);
    process.kill(holder.pid, 'SIGUSR2');
    process.kill(holder.pid, 'SIGCONT');
    expect(await holder.waitForLines(3)).toContain('ours false');
    expect(await held.isOurs()).toBe(true);
    const hasty = await openRegistryFolder(temp.path, { ...options, limitMs: 60 });
    await expect(hasty.acquire(ask, signal)).rejects.toThrow('held by Pod next');
  });

  test('SCOPE-12: portable: a lock that another one took over is not ours, and letting go leaves it theirs', async () => {
    await using temp = await tempFolder();
    const options = { wanted: 'portable', log: SILENT, limitMs: deadline(10_000) };
    const lock = await openRegistryFolder(temp.path, options);
    await using first = await lock.acquire({ pod: 'first', pid: 7 }, signal);
    // What a waiter does that finds it stale.
    await rmdir(join(temp.path, 'portable.lock'));
    await using second = await lock.acquire({ pod: 'second', pid: 8 }, signal);
    expect([await first.isOurs(), await second.isOurs()]).toEqual([false, true]);
    await first[Symbol.asyncDispose]();
    const hasty = await openRegistryFolder(temp.path, { ...options, limitMs: 60 });
    await expect(hasty.acquire(ask, signal)).rejects.toThrow('held by Pod second');
    expect(await second.isOurs()).toBe(true);
  });
});
