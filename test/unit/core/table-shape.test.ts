import { describe, expect, test } from 'vitest';
import { tableProblem } from '../../../daemon/core/table-shape.ts';
import { allocationOf, tableOf } from '../../support/registry-table.ts';

const rows = (...pairs: readonly (readonly [string, string | null])[]) =>
  tableOf(...pairs.map(([pod, delegatedFrom]) => allocationOf({ pod, delegatedFrom })));

describe('tableProblem', () => {
  test('SCOPE-13: a tree, a forest, and a row below one that is gone are sound', () => {
    expect(tableProblem(rows())).toBeNull();
    expect(tableProblem(rows(['c', 'b'], ['b', 'a'], ['a', null], ['x', null]))).toBeNull();
    expect(tableProblem(rows(['b', 'gone']))).toBeNull();
  });

  test('SCOPE-13: a ring of whatever length, and two rows of one name, are not', () => {
    expect(tableProblem(rows(['a', 'a']))).toContain('ring');
    expect(tableProblem(rows(['x', null], ['a', 'c'], ['b', 'a'], ['c', 'b']))).toContain('ring');
    expect(tableProblem(rows(['a', null], ['a', null]))).toContain('one name');
  });

  test('INV-12: a chain of ten thousand is walked once', () => {
    const chain = Array.from({ length: 10_000 }, (_, n): [string, string | null] => [
      `p${n}`,
      n === 9_999 ? null : `p${n + 1}`,
    ]);
    const begun = performance.now();
    expect(tableProblem(rows(...chain))).toBeNull();
    const once = performance.now() - begun;
    expect(once).toBeLessThan(2_000);
  });
});
