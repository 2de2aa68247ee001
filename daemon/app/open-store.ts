import { readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { Fault } from '../core/fault.ts';
import { LIMITS } from '../core/limits.ts';
import type { PodPaths } from '../manifest/paths.ts';
import type { OpenedJournal, OpenJournalOptions, SessionChoice } from '../session/open-journal.ts';
import { isThere } from './pod-origin.ts';
import { openJournal } from '../session/open-journal.ts';

/**
 * Opens the store, whose lock holds the Pod's name. A holder with no pid file is on its way out, its socket gone
 * already: whoever saw that and starts again is not refused for the few milliseconds that are left.
 */
export async function openStore(
  pod: string,
  paths: PodPaths,
  options: Omit<OpenJournalOptions, 'folder'>,
): Promise<OpenedJournal> {
  const end = performance.now() + LIMITS.leavingHolderMs;
  for (;;) {
    try {
      return await openJournal({ ...options, folder: paths.db });
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'taken') throw error;
      const pid = await readPid(paths);
      if (pid !== null || performance.now() > end) throw taken(pod, pid, error);
      await setTimeout(LIMITS.leavingHolderMs / 40);
    }
  }
}

/** Before anything is made: a Pod that has no sessions is not begun by asking for one of them. */
export async function refuseSessionOfNone(paths: PodPaths, session: SessionChoice): Promise<void> {
  if (session.kind !== 'id' || (await isThere(paths.db))) return;
  throw new Fault(
    'manifest_invalid',
    `--session ${session.id}: this Pod has no sessions yet; without --session it begins one`,
  );
}

async function readPid(paths: PodPaths): Promise<string | null> {
  const text = await readFile(paths.pid, 'utf8').catch(() => '');
  return /^(\d+)\n$/.exec(text)?.[1] ?? null;
}

function taken(pod: string, pid: string | null, cause: Fault): Fault {
  const holder = pid === null ? '' : ` (pid ${pid})`;
  return new Fault(
    'taken',
    `Pod ${pod} is running already${holder}: stop it with podctl stop ${pod}, or use another pod.name`,
    { cause },
  );
}
