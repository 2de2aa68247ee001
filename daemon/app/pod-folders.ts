import { randomUUID } from 'node:crypto';
import { chmod, lstat, mkdir, readFile, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../core/fault.ts';
import type { PodPaths } from '../manifest/paths.ts';
import { replaceVolatile } from '../support/atomic-file.ts';

/** What a Pod's runtime folder holds beside its socket: facts for people and scripts, gone with the process. */
export type RuntimeFacts = {
  readonly pid: number;
  readonly manifest: string;
};

/** Makes the Pod's state folders, 0700 whatever the umask. They stay. */
export async function makeStateFolders(paths: PodPaths): Promise<void> {
  for (const folder of [paths.stateRoot, paths.state, paths.spool]) await makePrivate(folder);
  // Its files are opened to the agent: a link would open others.
  if ((await lstat(paths.spool)).isDirectory()) return;
  throw new Fault('cannot_create', `${paths.spool} is a link, not a folder: move it away`);
}

/**
 * The runtime folder: made when the Pod's name is held, and gone before the name is let go, so that it is never the
 * next Pod's. It is moved aside first, whole, and then removed.
 */
export class RuntimeFolder implements AsyncDisposable {
  readonly #paths: PodPaths;
  #made = false;

  constructor(paths: PodPaths) {
    this.#paths = paths;
  }

  async make(facts: RuntimeFacts): Promise<void> {
    await makePrivate(this.#paths.runtimeRoot);
    await makePrivate(this.#paths.runtime);
    this.#made = true;
    await replaceVolatile(this.#paths.pid, pidText(facts.pid));
    await replaceVolatile(this.#paths.manifest, facts.manifest);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A Pod that lost its name (it was reaped by force) must not take the next one's socket with it.
    if (!this.#made || !(await this.#isOurs())) return;
    await rename(this.#paths.runtime, join(this.#paths.runtimeRoot, `${GONE}${randomUUID()}`));
    await sweepGone(this.#paths.runtimeRoot);
  }

  async #isOurs(): Promise<boolean> {
    const pid = await readFile(this.#paths.pid, 'utf8').catch(() => '');
    return pid === pidText(process.pid);
  }
}

const GONE = '.gone-';

/** What was moved aside, also by a process that died before it had removed it. What can't be removed is the next one's. */
async function sweepGone(root: string): Promise<void> {
  for (const name of await readdir(root))
    if (name.startsWith(GONE))
      await rm(join(root, name), { recursive: true, force: true }).catch(() => undefined);
}

function pidText(pid: number): string {
  return `${pid}\n`;
}

async function makePrivate(folder: string): Promise<void> {
  try {
    const made = await mkdir(folder, { recursive: true, mode: 0o700 });
    // The umask may have taken bits of the owner's; a folder that was there keeps its mode.
    if (made !== undefined) await chmod(folder, 0o700);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : '';
    throw new Fault('cannot_create', `cannot make the folder ${folder}: ${why}`, { cause });
  }
}
