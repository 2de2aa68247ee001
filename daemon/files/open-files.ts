import { ok } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { FileRefusal, Files, OpenedFile } from '../ports/files.ts';
import type { ScopeView } from '../ports/scope-view.ts';
import { canonicalPath, isUsablePath } from './canonical-path.ts';
import { createJudge } from './judge.ts';
import type { Judge } from './judge.ts';
import { openPinned, refuseIrregular } from './opened-file.ts';
import { kernelPath, tryPin } from './pinned.ts';
import { outsideScope, refusal, systemRefusal } from './refusals.ts';
import type { Refused } from './refusals.ts';
import { refuseUnopened } from './refuse-unopened.ts';
import { openForWrite } from './write-target.ts';

/**
 * The only way to user files. What is judged is never the path that was asked for but the one that the kernel names
 * for what was really opened, so no link, swapped at whatever moment, leads out of the scope. `umask` is the user's:
 * what new files and folders are made with, whatever the daemon's own is.
 */
export function openFiles(scope: ScopeView, umask = 0o022): Files {
  const judge = createJudge(scope);
  const fence: ScopeView['fence'] = (signal) => scope.fence(signal);
  return {
    openForRead: async (path, signal) => {
      signal.throwIfAborted();
      return refuseUnusable(path) ?? (await openForRead(path, judge));
    },
    openForWrite: async (path, signal) => {
      signal.throwIfAborted();
      return refuseUnusable(path) ?? (await openForWrite(path, judge, { fence, umask }));
    },
    identify: async (path) => (await canonicalPath(path)) ?? path,
  };
}

function refuseUnusable(path: string): Refused | null {
  if (isUsablePath(path)) return null;
  return path.startsWith('/')
    ? refusal('unreachable', 'the path has a character that no file name can have')
    : refusal('not_absolute', `${path} is not an absolute path: give one that starts with /`);
}

async function openForRead(asked: string, judge: Judge): Promise<Result<OpenedFile, FileRefusal>> {
  const found = await tryPin(asked);
  if (!found.ok) return await refuseUnopened({ asked, need: 'read' }, judge, found.error);
  await using pinned = found.value;
  try {
    const path = await kernelPath(pinned);
    if (path === null) return outsideScope(asked);
    const stats = await pinned.stat({ bigint: true });
    const refused =
      judge({ path, asked, need: 'read' }) ?? (await refuseIrregular(pinned, stats, asked));
    return refused ?? ok(await openPinned(pinned, { path, stats, asked }));
  } catch (error) {
    return systemRefusal(asked, error);
  }
}
