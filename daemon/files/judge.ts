import { statfs } from 'node:fs/promises';
import { isWithin } from '../core/scope-rules.ts';
import type { ScopeView } from '../ports/scope-view.ts';
import { selfOf } from './pinned.ts';
import type { Pin } from './pinned.ts';
import { outsideScope, refusal } from './refusals.ts';
import type { Refused } from './refusals.ts';

/** What is judged: a canonical path, and the path as it was asked for, which is the one that messages name. */
export type Question = {
  readonly path: string;
  readonly asked: string;
  readonly need: 'read' | 'write';
};

/** Null means yes. It asks the scope as it stands now. */
export type Judge = (question: Question) => Refused | null;

const KERNEL_FOLDERS = ['/proc', '/sys', '/dev'];
/** The magic numbers of procfs and sysfs, which may be mounted elsewhere too. */
const KERNEL_FILE_SYSTEMS = [0x9fa0, 0x62656572];

export function createJudge(scope: ScopeView): Judge {
  return ({ path, asked, need }) => {
    const permission = scope.permissionOf(path);
    if (permission === 'none') return outsideScope(asked);
    if (KERNEL_FOLDERS.some((folder) => isWithin(path, folder))) return kernelRefusal(asked);
    if (need === 'write' && permission !== 'write')
      return refusal(
        'not_writable',
        `${asked} is read-only: this Pod's scope lets it be read only`,
      );
    return null;
  };
}

/** A file or folder of procfs or sysfs, by whatever name. */
export async function refuseKernelFile(pinned: Pin, asked: string): Promise<Refused | null> {
  const { type } = await statfs(selfOf(pinned));
  return KERNEL_FILE_SYSTEMS.includes(type) ? kernelRefusal(asked) : null;
}

function kernelRefusal(asked: string): Refused {
  return refusal('special', `${asked} belongs to the kernel (/proc, /sys, /dev), not to a disk`);
}
