import { readFile, readlink } from 'node:fs/promises';
import {
  judgeHolder,
  parseBootTime,
  type Here,
  type Holder,
  type Liveness,
  type Probe,
} from '../protocol/registry.ts';

/**
 * Tells of a holder of the registry whether its process lives, `unknown` where `/proc` doesn't tell. Never rejects.
 * `proc` is another folder in tests only.
 */
export async function openLivenessCheck(
  proc = '/proc',
): Promise<(row: Holder) => Promise<Liveness>> {
  // A `/proc` of another pid namespace tells of other processes, and then nothing is known of any.
  const isOurs = (await orEmpty(readlink(`${proc}/self`))) === String(process.pid);
  const here: Here = {
    bootedAt: parseBootTime(await orEmpty(readFile(`${proc}/stat`, 'utf8'))),
    bootId: (await orEmpty(readFile(`${proc}/sys/kernel/random/boot_id`, 'utf8'))).trim(),
    pidNamespace: isOurs ? await orEmpty(readlink(`${proc}/self/ns/pid`)) : '',
  };
  return async (row) => judgeHolder(row, here, await probe(proc, row.pid));
}

async function probe(proc: string, pid: number): Promise<Probe> {
  const stat = await orEmpty(readFile(`${proc}/${pid}/stat`, 'utf8'));
  if (stat !== '') return { kind: 'found', stat };
  return { kind: isGone(pid) ? 'absent' : 'unreadable' };
}

/** The kernel's own word: `/proc` may hide what lives. */
function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
}

async function orEmpty(text: Promise<string>): Promise<string> {
  try {
    return await text;
  } catch {
    return '';
  }
}
