import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tempTree } from './temp-tree.ts';

export const SECRET = 'the secret outside';

/** Paths below the scope's folder that the swapper makes lead outside, and back. */
export const SWAPPED_PATHS = [
  'file-link',
  'middle/secret',
  'middle/../outside/secret',
  'swapped/secret',
  'folder/entry',
];
/** The same for what is written; `new` exists on neither side at first. */
export const SWAPPED_TARGETS = [...SWAPPED_PATHS, 'middle/new', 'swapped/new', 'middle/deep/new'];

export type Swaps = { readonly [What in 'file' | 'middle' | 'folder' | 'entry']: number };

export type SwappedTree = AsyncDisposable & {
  readonly inside: string;
  readonly outside: string;
  /** Ends the swapper and says how often it swapped. */
  readonly stop: () => Promise<Swaps>;
  /** What was ever written outside, by its traces: names, content, and the time stamp of the folder. */
  readonly harm: () => Promise<string[]>;
};

/** A tree in which another process swaps links in a tight loop. */
export async function swappedTree(): Promise<SwappedTree> {
  const tree = await tempTree();
  const { inside, outside } = tree;
  await writeFile(join(outside, 'secret'), SECRET);
  await mkdir(join(inside, 'folder'));
  await mkdir(join(inside, 'swapped'));
  await mkdir(join(inside, 'outside'));
  for (const name of ['plain', 'folder/secret', 'folder/entry', 'swapped/secret', 'outside/secret'])
    await writeFile(join(inside, name), 'plain');
  await symlink(join(inside, 'plain'), join(inside, 'file-link'));
  await symlink(join(inside, 'folder'), join(inside, 'middle'));
  const { mtimeNs } = await stat(outside, { bigint: true });

  const program = fileURLToPath(new URL('link-swapper.cjs', import.meta.url));
  const swapper = fork(program, [inside, outside], { stdio: 'inherit' });
  const exited = once(swapper, 'exit');
  await once(swapper, 'message');
  return {
    inside,
    outside,
    stop: async () => {
      const told = once(swapper, 'message');
      swapper.send('stop');
      const [swaps] = (await told) as [Swaps];
      await exited;
      return swaps;
    },
    harm: async () => {
      const traces: string[] = [];
      const names = await readdir(outside);
      if (names.join() !== 'secret') traces.push(`names: ${names.join()}`);
      if ((await readFile(join(outside, 'secret'), 'utf8')) !== SECRET) traces.push('content');
      if ((await stat(outside, { bigint: true })).mtimeNs !== mtimeNs) traces.push('time stamp');
      return traces;
    },
    [Symbol.asyncDispose]: async () => {
      if (swapper.connected) swapper.disconnect();
      await exited;
      await tree[Symbol.asyncDispose]();
    },
  };
}
