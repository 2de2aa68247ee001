import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Sabotage, Verdicts } from './sabotaged-trees.ts';
import { judge } from './sabotaged-trees.ts';
import { deadline } from '../support/slowness.ts';
import { TEST_LIMIT_MS } from '../support/time-limits.ts';

const PATCHES = join(import.meta.dirname, 'patches');
const sabotages = readdirSync(PATCHES)
  .sort()
  .map((name) => JSON.parse(readFileSync(join(PATCHES, name), 'utf8')) as Sabotage);

describe('a product with one line broken', () => {
  let verdicts: Verdicts;

  beforeAll(async () => {
    verdicts = await judge(sabotages);
  }, deadline(TEST_LIMIT_MS.sabotage));

  test('every test that has to notice a sabotage passes without one', () => {
    const unfit = [...verdicts.whole].filter(([, verdict]) => verdict !== 'passed');
    expect(unfit).toEqual([]);
  });

  for (const [index, sabotage] of sabotages.entries())
    test(`${sabotage.breaks}: "${sabotage.test.title}" turns red`, () => {
      expect(verdicts.broken[index]).toBe('failed');
    });
});
