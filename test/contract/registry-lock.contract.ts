import { mkdir, rename, rm, stat, writeFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { openRegistryFolder } from '../../daemon/scope/registry-folder.ts';
import type { HeldLock, LockKind, RegistryLock } from '../../daemon/scope/registry-lock.ts';
import { bundleFixture } from '../support/bundle-fixture.ts';
import { startFixture } from '../support/fixture-process.ts';
import { deadline } from '../support/slowness.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { SILENT } from '../support/temp-journal.ts';

/** Short waits are for those who find it taken. */
const SHORT_MS = 60;

export type LockFiles = {
  readonly kind: LockKind;
  /** Where a holder says who it is. */
  readonly record: string;
};

/** Both kinds of the registry's lock pass this. */
export function registryLockContract({ kind, record }: LockFiles): void {
  const other: LockKind = kind === 'kernel' ? 'portable' : 'kernel';
  const never = new AbortController().signal;
  const open = async (folder: string, limitMs = deadline(10_000)): Promise<RegistryLock> =>
    await openRegistryFolder(folder, { wanted: kind, log: SILENT, limitMs });
  const acquire = async (lock: RegistryLock, pod = 'p', signal = never): Promise<HeldLock> =>
    await lock.acquire({ pod, pid: 7 }, signal);
  /** When it answers, every earlier waiter has tried many times. */
  const expectTaken = async (folder: string, by = 'p'): Promise<void> => {
    const says = new RegExp(`^registry ${folder} busy since \\d{4}-\\d\\d-.*Z, held by Pod ${by} `);
    const fault = { name: 'Fault', code: 'taken', message: expect.stringMatching(says) as unknown };
    await expect(acquire(await open(folder, SHORT_MS))).rejects.toMatchObject(fault);
  };

  describe(`RegistryLock contract: ${kind}`, () => {
    test('SCOPE-12: one caller at a time is in, also within one process', async () => {
      await using temp = await tempFolder();
      const locks = [await open(temp.path), await open(temp.path)];
      let [inside, most, done] = [0, 0, 0];
      const work = async (lock: RegistryLock): Promise<void> => {
        await using held = await acquire(lock);
        inside += 1;
        most = Math.max(most, inside);
        for (let n = 0; n < 5; n += 1) await setImmediate();
        expect(await held.isOurs()).toBe(true);
        inside -= 1;
        done += 1;
      };
      await Promise.all([...locks, ...locks, ...locks, ...locks].map(work));
      expect({ most, done }).toEqual({ most: 1, done: 8 });
    });

    test('SCOPE-5: a process that holds it keeps others out, which name it, until it lets go', async () => {
      await using temp = await tempFolder();
      await using fixture = await bundleFixture('registry-holder.ts');
      const folder = join(temp.path, 'registry');
      await using holder = startFixture(fixture.path, [folder, kind, 'other-pod']);
      await holder.waitForLines(2);
      const says = `held by Pod other-pod (pid ${holder.pid})`;
      await expect(acquire(await open(folder, SHORT_MS))).rejects.toThrow(says);
      const waiting = acquire(await open(folder));
      process.kill(holder.pid, 'SIGUSR2');
      await using held = await waiting;
      expect(await holder.waitForLines(3)).toContain('ours true');
      expect(await held.isOurs()).toBe(true);
    });

    test('SCOPE-5: a holder that left no readable word is unknown', async () => {
      await using temp = await tempFolder();
      await using held = await acquire(await open(temp.path));
      await writeFile(join(temp.path, record), '{"pod":');
      const says = /busy since \d{4}-.*Z, held by an unknown process$/;
      await expect(acquire(await open(temp.path, SHORT_MS))).rejects.toThrow(says);
      expect(held).toBeDefined();
    });

    test('SCOPE-5: a wait that is cancelled ends with its reason and leaves the lock to others', async () => {
      await using temp = await tempFolder();
      const lock = await open(temp.path);
      const held = await acquire(lock);
      const stop = new AbortController();
      const stopped = acquire(lock, 'stopped', stop.signal);
      const reason = new Error('no longer wanted');
      const rejected = expect(stopped).rejects.toBe(reason);
      await expectTaken(temp.path);
      stop.abort(reason);
      await rejected;
      await expect(acquire(lock, 'late', stop.signal)).rejects.toBe(reason);
      await held[Symbol.asyncDispose]();
      await using next = await acquire(lock);
      expect(await next.isOurs()).toBe(true);
    });

    test('SCOPE-12: letting go twice frees nothing of the next holder', async () => {
      await using temp = await tempFolder();
      const lock = await open(temp.path);
      const first = await acquire(lock);
      await Promise.all([first[Symbol.asyncDispose](), first[Symbol.asyncDispose]()]);
      await using second = await acquire(lock, 'second');
      await first[Symbol.asyncDispose]();
      const { isOurs } = first;
      expect(await isOurs()).toBe(false);
      expect(await second.isOurs()).toBe(true);
      await expectTaken(temp.path, 'second');
    });

    test('SCOPE-12: a folder that is removed under holder and waiter is made again, and only one of them is in', async () => {
      await using temp = await tempFolder();
      const folder = join(temp.path, 'registry');
      const lock = await open(folder);
      await using held = await acquire(lock);
      const waiting = acquire(lock, 'waiter');
      await expectTaken(folder);
      await rename(folder, `${folder}-gone`);
      await rm(`${folder}-gone`, { recursive: true });
      expect(await held.isOurs()).toBe(false);
      await held[Symbol.asyncDispose]();
      await using next = await waiting;
      expect([await held.isOurs(), await next.isOurs()]).toEqual([false, true]);
      expect((await stat(folder)).mode & 0o777).toBe(0o700);
      expect((await open(folder)).kind).toBe(kind);
      await expectTaken(folder, 'waiter');
    });

    test('SCOPE-12: a folder that is replaced by another one is not ours', async () => {
      await using temp = await tempFolder();
      const folder = join(temp.path, 'registry');
      await using held = await acquire(await open(folder));
      await rename(folder, `${folder}-old`);
      await using theirs = await acquire(await open(folder), 'theirs');
      expect([await held.isOurs(), await theirs.isOurs()]).toEqual([false, true]);
    });

    test('SCOPE-5: a folder that is made anew with the other kind of lock is refused, never locked with ours', async () => {
      await using temp = await tempFolder();
      const [folder, ours, theirs] = ['registry', 'ours', 'theirs'].map((name) =>
        join(temp.path, name),
      ) as [string, string, string];
      // A link changes its folder in one step; in a moment with none the waiter would make one, with its own kind.
      await mkdir(ours);
      await symlink(ours, folder);
      const lock = await open(folder);
      const held = await acquire(lock);
      const waiting = acquire(lock, 'waiter');
      const refused = expect(waiting).rejects.toMatchObject({
        code: 'cannot_create',
        message: expect.stringContaining(`made anew with a ${other} lock`) as unknown,
      });
      await expectTaken(folder);
      await openRegistryFolder(theirs, { wanted: other, log: SILENT });
      await symlink(theirs, `${folder}-anew`);
      await rename(`${folder}-anew`, folder);
      const anew = await openRegistryFolder(folder, { wanted: kind, log: SILENT });
      expect(anew.kind).toBe(other);
      await held[Symbol.asyncDispose]();
      await refused;
    });
  });
}
