import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NamedTest, Sabotage } from './sabotaged-tree.ts';
import { SabotagedTree } from './sabotaged-tree.ts';

const PATCHES = join(import.meta.dirname, 'patches');
const sabotages = readdirSync(PATCHES)
  .sort()
  .map((name) => JSON.parse(readFileSync(join(PATCHES, name), 'utf8')) as Sabotage);

/** As many at once as there are trees; each of them keeps a core busy. */
const TREES = 2;

describe('a product with one line broken', () => {
  const trees: SabotagedTree[] = [];
  const free: SabotagedTree[] = [];
  const waiting: ((tree: SabotagedTree) => void)[] = [];

  const withTree = async <T>(work: (tree: SabotagedTree) => Promise<T>): Promise<T> => {
    const tree =
      free.pop() ?? (await new Promise<SabotagedTree>((resolve) => waiting.push(resolve)));
    try {
      return await work(tree);
    } finally {
      const next = waiting.shift();
      if (next === undefined) free.push(tree);
      else next(tree);
    }
  };

  beforeAll(() => {
    for (let n = 0; n < TREES; n += 1) trees.push(new SabotagedTree());
    free.push(...trees);
  });

  afterAll(() => {
    for (const tree of trees) tree[Symbol.dispose]();
  });

  test.concurrent('every test that has to notice a sabotage passes without one', async () => {
    const named = new Map<string, NamedTest>(sabotages.map((one) => [one.test.title, one.test]));
    const verdicts = await withTree((tree) => tree.run([...named.values()]));
    const unfit = [...named.keys()].filter((title) => verdicts.get(title) !== 'passed');
    expect(unfit).toEqual([]);
  });

  for (const sabotage of sabotages)
    test.concurrent(`${sabotage.breaks}: "${sabotage.test.title}" turns red`, async () => {
      expect(await withTree((tree) => tree.judge(sabotage))).toBe('failed');
    });
});
