import { describe, expect, test } from 'vitest';
import { openFiles } from '../../daemon/files/open-files.ts';
import type { Files } from '../../daemon/ports/files.ts';
import { naiveFiles } from '../support/naive-files.ts';
import type { NaiveFiles } from '../support/naive-files.ts';
import { SECRET, SWAPPED_PATHS, SWAPPED_TARGETS, swappedTree } from '../support/swapped-tree.ts';
import type { SwappedTree } from '../support/swapped-tree.ts';
import { openDescriptors, writable } from '../support/temp-tree.ts';

const { signal } = new AbortController();
const PROOF_MS = 10_000;

type Tally = {
  reads: number;
  writes: number;
  refused: number;
  leaks: number;
};

/** Reads and writes by turns on every swapped path, until the time is over or something leaked. */
async function attack(tree: SwappedTree, files: NaiveFiles, limitMs: number): Promise<Tally> {
  const tally: Tally = { reads: 0, writes: 0, refused: 0, leaks: 0 };
  const until = performance.now() + limitMs;
  const lane = async (first: number): Promise<void> => {
    for (let i = first; performance.now() < until && tally.leaks === 0; i += 1) {
      const read = await attempt(() => files.read(pick(tree, SWAPPED_PATHS, i)));
      if (read === null) tally.refused += 1;
      else tally.reads += 1;
      if (read?.includes(SECRET) === true) tally.leaks += 1;
      const wrote = await attempt(() => files.write(pick(tree, SWAPPED_TARGETS, i), 'plain'));
      if (wrote === null) tally.refused += 1;
      else tally.writes += 1;
      if (i % 16 === first) tally.leaks += (await tree.harm()).length;
    }
  };
  await Promise.all([lane(0), lane(1)]);
  tally.leaks += (await tree.harm()).length;
  return tally;
}

function pick(tree: SwappedTree, names: readonly string[], i: number): string {
  // Not joined: that would take `..` out before the kernel sees it.
  return `${tree.inside}/${names[i % names.length] ?? ''}`;
}

// A path that is just being swapped may be missing; that is no leak either way.
async function attempt<T>(work: () => Promise<T | null>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error && 'code' in error) return null;
    throw error;
  }
}

/** The real ones, with the calls of the naive ones. */
function asCalls(files: Files): NaiveFiles {
  return {
    read: async (path) => {
      const opened = await files.openForRead(path, signal);
      if (!opened.ok) return null;
      await using file = opened.value;
      const chunks: Uint8Array[] = [];
      for await (const chunk of file.chunks(signal)) chunks.push(chunk);
      return Buffer.concat(chunks).toString('utf8');
    },
    write: async (path, text) => {
      const opened = await files.openForWrite(path, signal);
      if (!opened.ok) return null;
      await using place = opened.value;
      for await (const chunk of place.existing?.chunks(signal) ?? [])
        if (Buffer.from(chunk).includes(SECRET))
          throw new TypeError('the secret was opened to be replaced');
      const replaced = await place.replace(Buffer.from(text), signal);
      return replaced.ok ? true : null;
    },
  };
}

describe('while another process swaps links in a tight loop', () => {
  test('SCOPE-15: a link swapped in between check and use never leads outside, in ten seconds', {
    timeout: 60_000,
  }, async () => {
    await using tree = await swappedTree();
    const before = await openDescriptors();
    const files = openFiles(writable(tree.inside));
    const tally = await attack(tree, asCalls(files), PROOF_MS);
    const swaps = await tree.stop();
    expect(tally.leaks).toBe(0);
    // The swapper and its victim were both at work, and met: some calls got through, some were turned away.
    for (const count of Object.values(swaps)) expect(count).toBeGreaterThan(1000);
    for (const count of [tally.reads, tally.writes, tally.refused])
      expect(count).toBeGreaterThan(100);
    expect(await openDescriptors()).toBeLessThanOrEqual(before);
  });

  test('SCOPE-15: the same swapper wins against a check that is made before the use', {
    timeout: 60_000,
  }, async () => {
    await using tree = await swappedTree();
    const tally = await attack(tree, naiveFiles(writable(tree.inside)), 30_000);
    await tree.stop();
    expect(tally.leaks).toBeGreaterThan(0);
  });
});
