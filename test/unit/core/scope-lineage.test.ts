import { describe, expect, test } from 'vitest';
import type { PodOrigin } from '../../../protocol/registry.ts';
import {
  isNearerAncestor,
  isSpawnOf,
  lineageOf,
  lineageOfChild,
  lineageOfReturned,
  nearestAncestor,
} from '../../../daemon/core/scope-lineage.ts';
import { allocationOf } from '../../support/registry-table.ts';

const pod = (name: string): PodOrigin => ({ pod: name, store: `/state/pods/${name}` });
const from = (...names: string[]): { origin: PodOrigin | null; ancestors: PodOrigin[] } => {
  const [origin = null, ...ancestors] = names.map(pod);
  return { origin, ancestors };
};
const names = (lineage: ReturnType<typeof from>): string[] =>
  lineageOf(lineage).map((one) => one.pod);

describe('a lineage', () => {
  test('SCOPE-6: a child’s names its spawner first, then who spawned that one', () => {
    const giver = { ...pod('middle'), ...from('top') };
    expect(lineageOfChild(pod('leaf'), giver)).toEqual(from('middle', 'top'));
    expect(lineageOfChild(pod('leaf'), { ...pod('root'), ...from() })).toEqual(from('root'));
  });

  test('SCOPE-10: no Pod is its own ancestor, not even one that its own child spawned', () => {
    const giver = { ...pod('child'), ...from('self', 'top') };
    expect(lineageOfChild(pod('self'), giver)).toEqual(from('child', 'top'));
  });

  test('SCOPE-20: a Pod of the same name with another store is another Pod', () => {
    expect(isSpawnOf(from('a', 'b'), pod('b'))).toBe(true);
    expect(isSpawnOf(from('a', 'b'), { pod: 'b', store: '/elsewhere' })).toBe(false);
  });

  test('SCOPE-9: who comes back below an ancestor has that one’s ancestors too', () => {
    const giver = { ...pod('middle'), ...from('newcomer', 'top') };
    const returned = lineageOfReturned(pod('leaf'), from('gone', 'middle', 'top'), giver);
    expect(names(returned)).toEqual(['gone', 'middle', 'newcomer', 'top']);
  });

  test('SCOPE-9: coming back again and again makes no lineage longer', () => {
    const giver = { ...pod('middle'), ...from('newcomer') };
    const once = lineageOfReturned(pod('leaf'), from('middle', 'top'), giver);
    expect(lineageOfReturned(pod('leaf'), once, giver)).toEqual(once);
  });

  test('SCOPE-9: the nearest ancestor that is left holds, unless it may not', () => {
    const rows = [allocationOf({ pod: 'top' }), allocationOf({ pod: 'middle' })];
    const below = from('gone', 'middle', 'top');
    expect(nearestAncestor(rows, below, () => true)?.pod).toBe('middle');
    expect(nearestAncestor(rows, below, (row) => row.pod !== 'middle')?.pod).toBe('top');
    expect(nearestAncestor(rows, from('gone'), () => true)).toBeUndefined();
  });

  test('SCOPE-20: a spawner is nearer than its own spawner, and than who is no ancestor', () => {
    const row = from('middle', 'top');
    expect(isNearerAncestor(row, pod('middle'), 'top')).toBe(true);
    expect(isNearerAncestor(row, pod('top'), 'middle')).toBe(false);
    expect(isNearerAncestor(row, pod('top'), null)).toBe(true);
    expect(isNearerAncestor(row, pod('top'), 'stranger')).toBe(true);
    expect(isNearerAncestor(row, pod('stranger'), null)).toBe(false);
  });
});
