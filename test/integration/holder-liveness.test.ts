import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openLivenessCheck } from '../../client/holder-liveness.ts';
import { createLivenessCheck, readOwnIdentity } from '../../daemon/scope/process-identity.ts';
import { parseProcessStat, type Liveness, type ProcessIdentity } from '../../protocol/registry.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { until } from '../support/until.ts';

type Child = AsyncDisposable & { readonly child: ChildProcess; readonly pid: number };

function start(command: string, ...args: readonly string[]): Child {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  return {
    child,
    pid: child.pid ?? 0,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function stateOf(pid: number): string | undefined {
  return parseProcessStat(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.state;
}

/** The row that a holder of that pid has written. */
async function rowOf(pid: number): Promise<ProcessIdentity> {
  const here = await readOwnIdentity();
  const { startedAt = 0 } = parseProcessStat(await readFile(`/proc/${pid}/stat`, 'utf8')) ?? {};
  return { ...here, pid, startedAt };
}

type Check = (row: ProcessIdentity, proc?: string) => Promise<Liveness>;

const byPodd: Check = async (row, proc) =>
  createLivenessCheck(await readOwnIdentity(), proc)({ claimedAt: 1, ...row });
const byPodctl: Check = async (row, proc) =>
  await (await openLivenessCheck(proc))({ claimedAt: 1, ...row });

describe.each([
  ['podd', byPodd],
  ['podctl', byPodctl],
] as const)('a holder, as %s sees it', (_who, check) => {
  test('SCOPE-11: a process that runs lives', async () => {
    await using holder = start('sleep', '60');
    expect(await check(await rowOf(holder.pid))).toBe('live');
    expect(await check(await readOwnIdentity())).toBe('live');
  });

  test('SCOPE-11 INV-10: a stopped process lives, and lives on when it continues', async () => {
    await using holder = start('sleep', '60');
    const row = await rowOf(holder.pid);
    process.kill(holder.pid, 'SIGSTOP');
    await until(() => stateOf(holder.pid) === 'T', 'it is stopped');
    expect(await check(row)).toBe('live');
    process.kill(holder.pid, 'SIGCONT');
    await until(() => stateOf(holder.pid) !== 'T', 'it goes on');
    expect(await check(row)).toBe('live');
  });

  test('SCOPE-11: a zombie, whose parent never waits for it, is dead', async () => {
    await using parent = start('sh', '-c', 'sleep 0 & echo $!; exec sleep 60');
    let said = '';
    parent.child.stdout?.setEncoding('utf8').on('data', (text: string) => (said += text));
    await until(() => said.endsWith('\n'), 'the pid is told');
    const pid = Number(said);
    await until(() => stateOf(pid) === 'Z', 'it is a zombie');
    expect(await check(await rowOf(pid))).toBe('dead');
  });

  test('SCOPE-11: a killed process is dead once it was waited for', async () => {
    const holder = start('sleep', '60');
    const row = await rowOf(holder.pid);
    await holder[Symbol.asyncDispose]();
    expect(await check(row)).toBe('dead');
  });

  test('SCOPE-11: the process that now has the holder’s pid is not the holder', async () => {
    await using other = start('sleep', '60');
    const row = await rowOf(other.pid);
    expect(await check({ ...row, startedAt: row.startedAt - 1 })).toBe('dead');
  });

  test('SCOPE-11: a holder of another boot is dead, though its pid is in use', async () => {
    expect(await check({ ...(await readOwnIdentity()), bootId: 'another' })).toBe('dead');
  });

  test('SCOPE-11 INV-10: a holder of another pid namespace is unknown, though no such pid is here', async () => {
    const holder = start('sleep', '60');
    const row = await rowOf(holder.pid);
    await holder[Symbol.asyncDispose]();
    expect(await check({ ...row, pidNamespace: 'pid:[1]' })).toBe('unknown');
    expect(await check({ ...row, pidNamespace: '' })).toBe('unknown');
  });

  test('SCOPE-11 INV-10: a living process that /proc hides, or can’t be read, is unknown', async () => {
    await using proc = await fakeProc();
    await using holder = start('sleep', '60');
    const row = await rowOf(holder.pid);
    expect(await check(row, proc.path)).toBe('unknown');
    // Reading it fails, and not because it is away.
    await mkdir(join(proc.path, String(holder.pid), 'stat'), { recursive: true });
    expect(await check(row, proc.path)).toBe('unknown');
  });

  test('SCOPE-11 INV-10: without /proc nobody is dead', async () => {
    await using folder = await tempFolder();
    const row = await readOwnIdentity();
    expect(await check({ ...row, pid: 2 ** 22 + 1 }, folder.path)).toBe('unknown');
    expect(await check({ ...row, bootId: 'another' }, folder.path)).toBe('unknown');
  });

  test('SCOPE-11 INV-10: a row whose pid is no pid is unknown', async () => {
    const row = await readOwnIdentity();
    const verdicts = await Promise.all(
      [0, 0.5, 2 ** 40, Number.NaN].map(async (pid) => await check({ ...row, pid })),
    );
    expect(verdicts).toEqual(['unknown', 'unknown', 'unknown', 'unknown']);
  });
});

describe('a /proc of other processes', () => {
  test('SCOPE-11 INV-10: when /proc no longer shows this process, what it shows of others is no proof', async () => {
    await using proc = await fakeProc();
    const row = { claimedAt: 1, ...(await readOwnIdentity()) };
    const [line, holder] = [await readFile('/proc/self/stat', 'utf8'), { ...row, startedAt: 1 }];
    const check = createLivenessCheck(row, proc.path);
    expect(check(holder)).toBe('dead');
    const reused = line.replace(` ${row.startedAt} `, ` ${row.startedAt + 1} `);
    await writeFile(join(proc.path, String(process.pid), 'stat'), reused);
    expect(check(holder)).toBe('unknown');
  });

  test('SCOPE-11: podctl calls nobody dead by it', async () => {
    await using proc = await fakeProc();
    const row = { claimedAt: 1, ...(await readOwnIdentity()), startedAt: 1 };
    expect(await (await openLivenessCheck(proc.path))(row)).toBe('dead');
    await mkdir(join(proc.path, '1/ns'), { recursive: true });
    await symlink(row.pidNamespace, join(proc.path, '1/ns/pid'));
    await rm(join(proc.path, 'self'));
    await symlink('1', join(proc.path, 'self'));
    expect(await (await openLivenessCheck(proc.path))(row)).toBe('unknown');
  });
});

describe('readOwnIdentity', () => {
  test('SCOPE-6: tells this process from every other, before and after it', async () => {
    const identity = await readOwnIdentity();
    expect(identity).toEqual({
      pid: process.pid,
      startedAt: expect.any(Number) as number,
      bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
      pidNamespace: await readlink('/proc/self/ns/pid'),
    });
    await using other = start('sleep', '60');
    expect((await readOwnIdentity(other.pid)).startedAt).toBeGreaterThan(identity.startedAt);
  });

  test('SCOPE-11: a kernel without pid namespaces leaves that part empty', async () => {
    await using proc = await fakeProc();
    await rm(join(proc.path, String(process.pid), 'ns'), { recursive: true });
    expect((await readOwnIdentity(process.pid, proc.path)).pidNamespace).toBe('');
  });

  test.each([
    ['self', "can't be read (ENOENT)"],
    [`${process.pid}/stat`, "can't be read (ENOENT)"],
    ['sys/kernel/random/boot_id', "can't be read (ENOENT)"],
  ])(
    'SCOPE-11: without /proc/%s there is no identity, and the remedy is told',
    async (part, says) => {
      await using proc = await fakeProc();
      await rm(join(proc.path, part));
      await expect(readOwnIdentity(process.pid, proc.path)).rejects.toMatchObject({
        code: 'cannot_create',
        message: expect.stringMatching(/mount -t proc proc \/proc/) as string,
      });
      await expect(readOwnIdentity(process.pid, proc.path)).rejects.toThrow(says);
    },
  );

  test('SCOPE-11: a /proc that was mounted for another pid namespace gives no identity', async () => {
    await using proc = await fakeProc();
    await rm(join(proc.path, 'self'));
    await symlink('1', join(proc.path, 'self'));
    await expect(readOwnIdentity(process.pid, proc.path)).rejects.toThrow(
      'is of another pid namespace',
    );
  });

  test.each([
    [`${process.pid}/stat`, 'nonsense'],
    ['sys/kernel/random/boot_id', '\n'],
  ])('SCOPE-11: a /proc/%s that says %j gives no identity', async (part, text) => {
    await using proc = await fakeProc();
    await writeFile(join(proc.path, part), text);
    await expect(readOwnIdentity(process.pid, proc.path)).rejects.toThrow('has an unknown form');
  });
});

/** What `/proc` has of this process, and of no other one. */
async function fakeProc(): Promise<AsyncDisposable & { readonly path: string }> {
  const folder = await tempFolder();
  const own = join(folder.path, String(process.pid));
  await mkdir(join(own, 'ns'), { recursive: true });
  await mkdir(join(folder.path, 'sys/kernel/random'), { recursive: true });
  await writeFile(join(own, 'stat'), await readFile('/proc/self/stat'));
  await symlink(await readlink('/proc/self/ns/pid'), join(own, 'ns/pid'));
  await symlink(String(process.pid), join(folder.path, 'self'));
  const boot = 'sys/kernel/random/boot_id';
  await writeFile(join(folder.path, boot), await readFile(`/proc/${boot}`));
  return folder;
}
