import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openRegistryFolder } from '../../daemon/scope/registry-folder.ts';
import type { LockKind } from '../../daemon/scope/registry-lock.ts';
import { bundleFixture } from '../support/bundle-fixture.ts';
import type { FixtureProcess } from '../support/fixture-process.ts';
import { startFixture } from '../support/fixture-process.ts';
import { deadline } from '../support/slowness.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { SILENT } from '../support/temp-journal.ts';

const WAITERS = 40;

/** Processes that count to their number under the lock, all of them waiting when its holder is killed. */
async function countAfterDeath(kind: LockKind): Promise<{ count: number; log: readonly string[] }> {
  await using temp = await tempFolder();
  await using hold = await bundleFixture('registry-holder.ts');
  await using add = await bundleFixture('registry-counter.ts');
  await using holder = startFixture(hold.path, [temp.path, kind, 'holder']);
  await holder.waitForLines(2);
  writeFileSync(join(temp.path, 'count.lock'), '0');
  const limit = String(deadline(20_000));
  const names = Array.from({ length: WAITERS }, (_, n) => `w${n}`);
  const waiters = names.map((name) => startFixture(add.path, [temp.path, name, limit]));
  try {
    await Promise.all(waiters.map((waiter) => waiter.waitForLines(1)));
    writeFileSync(join(temp.path, 'go'), '');
    await Promise.all(waiters.map((waiter) => waiter.waitForLines(2)));
    await holder.kill();
    await Promise.all(waiters.map((waiter) => waiter.waitForLines(3)));
    return {
      count: Number(readFileSync(join(temp.path, 'count.lock'), 'utf8')),
      log: readFileSync(join(temp.path, 'log.lock'), 'utf8').trim().split('\n'),
    };
  } finally {
    await Promise.all(waiters.map((waiter) => waiter.kill()));
  }
}

/** How long a process that waits is kept out by the death of the one that is in, in milliseconds. */
async function delayByDeath(holder: FixtureProcess, waiter: FixtureProcess): Promise<number> {
  const killedAt = Date.now();
  process.kill(holder.pid, 'SIGKILL');
  const came = (await waiter.waitForLines(2)).at(-1) ?? '';
  return Number(came.replace('in ', '')) - killedAt;
}

describe('the registry’s lock, when its holder dies', () => {
  test(
    'SCOPE-12: kernel: 40 waiters when the holder dies: never two inside',
    async () => {
      const { count, log } = await countAfterDeath('kernel');
      expect(count).toBe(WAITERS);
      expect(log).toHaveLength(2 * WAITERS);
      const inside = log.filter((line, n) => n % 2 === 0 && line.startsWith('enter '));
      expect(log).toEqual(inside.flatMap((line) => [line, line.replace('enter', 'commit')]));
    },
    deadline(20_000),
  );

  test(
    'SCOPE-12: portable: 40 waiters when the holder dies: none commits over another, and no update is lost',
    async () => {
      const { count, log } = await countAfterDeath('portable');
      const of = (what: string): string[] => log.filter((line) => line.startsWith(`${what} `));
      expect(new Set(of('commit')).size).toBe(WAITERS);
      expect(of('commit')).toHaveLength(WAITERS);
      expect(of('enter')).toHaveLength(WAITERS + of('lost').length);
      expect(count).toBe(WAITERS);
    },
    deadline(20_000),
  );

  test('SCOPE-12: kernel: killed holders delay the next one by at most 100 ms', async () => {
    await using temp = await tempFolder();
    await using fixture = await bundleFixture('registry-holder.ts');
    let holder = startFixture(fixture.path, [temp.path, 'kernel', 'p0']);
    await holder.waitForLines(2);
    const delays: number[] = [];
    for (let n = 1; n <= 5; n += 1) {
      const waiter = startFixture(fixture.path, [temp.path, 'kernel', `p${n}`]);
      await waiter.waitForLines(1);
      delays.push(await delayByDeath(holder, waiter));
      await holder.kill();
      holder = waiter;
    }
    await holder.kill();
    expect(Math.max(...delays)).toBeLessThanOrEqual(deadline(100));
  });

  test('SCOPE-12: portable: killed holders delay the next one by at most 3 s', async () => {
    await using temp = await tempFolder();
    await using fixture = await bundleFixture('registry-holder.ts');
    await using holder = startFixture(fixture.path, [temp.path, 'portable', 'holder']);
    await holder.waitForLines(2);
    await using waiter = startFixture(fixture.path, [temp.path, 'portable', 'waiter']);
    await waiter.waitForLines(1);
    expect(await delayByDeath(holder, waiter)).toBeLessThanOrEqual(deadline(3_000));
  });

  test('SCOPE-12: portable: a fresh lock is as old as it is, so that it is stale in time', async () => {
    await using temp = await tempFolder();
    const lock = await openRegistryFolder(temp.path, { wanted: 'portable', log: SILENT });
    await using held = await lock.acquire({ pod: 'p', pid: 7 }, new AbortController().signal);
    const { mtimeMs } = statSync(join(temp.path, 'portable.lock'));
    expect(mtimeMs).toBeLessThanOrEqual(Date.now());
    expect(await held.isOurs()).toBe(true);
  });

  test('SCOPE-12: a child that outlives the holder does not keep the kernel lock', async () => {
    await using temp = await tempFolder();
    await using fixture = await bundleFixture('registry-holder.ts');
    await using holder = startFixture(fixture.path, [temp.path, 'kernel', 'parent', 'child']);
    const [said = ''] = await holder.waitForLines(2);
    const child = Number(said.replace('child ', ''));
    try {
      const limitMs = deadline(100);
      const lock = await openRegistryFolder(temp.path, { wanted: '', log: SILENT, limitMs });
      const ask = { pod: 'next', pid: process.pid };
      const { signal } = new AbortController();
      await expect(lock.acquire(ask, signal)).rejects.toMatchObject({ code: 'taken' });
      await holder.kill();
      expect(readFileSync(`/proc/${child}/comm`, 'utf8')).toBe('sleep\n');
      await using held = await lock.acquire(ask, signal);
      expect(await held.isOurs()).toBe(true);
    } finally {
      process.kill(child, 'SIGKILL');
    }
  });
});
