import { dirname, join, resolve } from 'node:path';
import { stateRoot } from '../protocol/paths.ts';
import { POD_NAME, type Surroundings } from './find-pods.ts';
import { PodError } from './pod-error.ts';
import { readRegistry, type RegistrySurroundings } from './registry.ts';

/**
 * Where a Pod of that name keeps what outlives it, also when it is dead: below `state` if that is given, else where the
 * registry says, else where podd puts it by its environment. Throws `no_place`.
 */
export async function findStateFolder(
  pod: string,
  state: string | undefined,
  around: Surroundings & RegistrySurroundings,
): Promise<string> {
  if (!POD_NAME.test(pod))
    throw new PodError('no_place', `"${pod}" is no Pod name (a-z 0-9 . _ -, up to 64)`);
  if (state !== undefined) return join(resolve(around.cwd, state), 'pods', pod);
  const store = await storeOf(pod, around);
  return store ?? join(rootOf(around), 'pods', pod);
}

/** It knows of a Pod that was started with `--state`, as long as it lives and until the next podd starts. */
async function storeOf(pod: string, around: RegistrySurroundings): Promise<string | null> {
  try {
    const { table } = await readRegistry(around);
    const row = table?.allocations.find((one) => one.pod === pod);
    return row === undefined || !row.store.startsWith('/') ? null : dirname(row.store);
  } catch (error) {
    // A registry that is damaged is told by whoever needs it.
    if (error instanceof PodError) return null;
    throw error;
  }
}

function rootOf({ env, home }: Surroundings): string {
  const root = stateRoot(env, home);
  if (root.kind === 'none') throw new PodError('no_place', `${root.says}, or give --state`);
  return root.path;
}
