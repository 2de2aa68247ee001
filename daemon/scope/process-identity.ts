import { readFileSync } from 'node:fs';
import { readFile, readlink } from 'node:fs/promises';
import {
  judgeHolder,
  parseBootTime,
  parseProcessStat,
  type Here,
  type Holder,
  type Liveness,
  type Probe,
  type ProcessIdentity,
} from '../../protocol/registry.ts';
import { Fault } from '../core/fault.ts';

/**
 * Who a process is and whether it lives, as `/proc` tells it. The look at a holder must never say "dead" of a live
 * one: a `/proc` that is away, hides processes, or shows another pid namespace makes it say `unknown` instead.
 */

/**
 * Throws `cannot_create` where `/proc` doesn't tell. `pid` is of this process's namespace; `proc` is another folder in
 * tests only.
 */
export async function readOwnIdentity(pid = process.pid, proc = '/proc'): Promise<ProcessIdentity> {
  let self: string;
  let stat: string;
  let bootId: string;
  try {
    self = await readlink(`${proc}/self`);
    stat = await readFile(`${proc}/${pid}/stat`, 'utf8');
    bootId = (await readFile(`${proc}/sys/kernel/random/boot_id`, 'utf8')).trim();
  } catch (cause) {
    throw unusable(proc, `can't be read (${codeOf(cause)})`, cause);
  }
  // A `/proc` that was mounted for other pids tells of other processes under ours.
  if (self !== String(process.pid)) throw unusable(proc, 'is of another pid namespace');
  const found = parseProcessStat(stat);
  if (found === null || bootId === '') throw unusable(proc, 'has an unknown form');
  const pidNamespace = await readNamespace(`${proc}/${pid}/ns/pid`);
  return { pid, startedAt: found.startedAt, bootId, pidNamespace };
}

/**
 * Tells of a holder whether it lives; never rejects. `here` is this process's own identity. Before it answers `dead`
 * it looks whether `/proc` still shows this process as it is.
 */
export function createLivenessCheck(
  here: ProcessIdentity,
  proc = '/proc',
): (row: Holder) => Liveness {
  const place: Here = { ...here, bootedAt: readBootTime(proc) };
  return (row) => {
    const verdict = judgeHolder(row, place, probe(proc, row.pid));
    if (verdict !== 'dead') return verdict;
    const mirror = probe(proc, here.pid);
    const self = mirror.kind === 'found' ? parseProcessStat(mirror.stat) : null;
    return self?.startedAt === here.startedAt ? 'dead' : 'unknown';
  };
}

function readBootTime(proc: string): number | null {
  try {
    return parseBootTime(readFileSync(`${proc}/stat`, 'utf8'));
  } catch {
    return null;
  }
}

// Synchronous: there is no disk behind it, and by libuv's threads fifty holders cost more than the change they precede.
function probe(proc: string, pid: number): Probe {
  try {
    return { kind: 'found', stat: readFileSync(`${proc}/${pid}/stat`, 'utf8') };
  } catch (error) {
    const isAway = ['ENOENT', 'ESRCH'].includes(codeOf(error));
    return { kind: isAway && hasNoProcess(pid) ? 'absent' : 'unreadable' };
  }
}

/** Asks the kernel itself: under `hidepid` the process of another user has no entry, and lives. */
function hasNoProcess(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return codeOf(error) === 'ESRCH';
  }
}

async function readNamespace(link: string): Promise<string> {
  try {
    return await readlink(link);
  } catch {
    // Some sandboxes have none; every holder of this boot is then `unknown`.
    return '';
  }
}

function unusable(proc: string, says: string, cause?: unknown): Fault {
  return new Fault(
    'cannot_create',
    `${proc} ${says}, and without it nobody can tell whether the owner of a file lives: mount it for this container or sandbox (mount -t proc proc /proc)`,
    { cause },
  );
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}
