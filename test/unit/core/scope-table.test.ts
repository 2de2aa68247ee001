import { describe, expect, test } from 'vitest';
import { InvariantError } from '../../../daemon/core/assert.ts';
import { permissionOf } from '../../../daemon/core/scope-rules.ts';
import {
  adopt,
  claim,
  delegate,
  delegatedBy,
  depthOf,
  effectiveScope,
  EMPTY_TABLE,
  raiseEpoch,
  rowFor,
} from '../../../daemon/core/scope-table.ts';
import { allocationOf, mayRead, mayWrite, tableOf } from '../../support/registry-table.ts';
import {
  claimant,
  granted,
  refused,
  rootsOf,
  rowOf,
  scopeOf,
  spawned,
  treeOf,
} from '../../support/table-steps.ts';

const all = scopeOf([mayWrite('/w'), mayRead('/r')], [mayRead('/w/b/key'), mayWrite('/x')]);
const family = spawned(rootsOf(['a', all]), 'a', claimant('b', 12), [mayWrite('/w/b')]);

describe('claim', () => {
  test('SCOPE-6 SCOPE-7: a claim is recorded with process, place, scope and version, as a root', () => {
    const { table, row } = granted(claim(EMPTY_TABLE, claimant('a', 7), all));
    const { at, ...who } = claimant('a', 7);
    expect(row).toEqual({
      ...who,
      ...all,
      delegatedFrom: null,
      origin: null,
      ancestors: [],
      epoch: 1,
      claimedAt: at,
    });
    expect(table.allocations).toEqual([row]);
  });

  test('SCOPE-7: a name is given once, whatever is asked for', () => {
    const answer = claim(family, { ...claimant('a', 2), store: '/elsewhere' }, scopeOf([]));
    expect(refused(answer)).toEqual({ kind: 'name_taken', owner: rowOf(family, 'a') });
  });

  test('SCOPE-7: a write rule that meets another Pod’s is refused with path and owner', () => {
    const answer = claim(family, claimant('n', 2), scopeOf([mayRead('/r'), mayWrite('/w/n')]));
    expect(refused(answer)).toEqual({ kind: 'overlap', path: '/w/n', owner: rowOf(family, 'a') });
  });

  test('SCOPE-7: the owner that is named is the deepest of those in the way', () => {
    const deep = spawned(family, 'b', claimant('c', 13), [mayWrite('/w/b/c')]);
    for (const [target, owner] of [
      ['/w/b/c/d', 'c'],
      ['/w/b/d', 'b'],
      ['/w/d', 'a'],
      ['/w/b', 'c'],
    ] as const) {
      const answer = refused(claim(deep, claimant('n', 2), scopeOf([mayWrite(target)])));
      expect(answer, target).toMatchObject({ kind: 'overlap', owner: { pod: owner } });
    }
  });

  test('SCOPE-7: reads never conflict, with reads or with writes', () => {
    const reader = granted(claim(family, claimant('n', 2), scopeOf([mayRead('/w')]))).table;
    const writer = claim(reader, claimant('m', 3), scopeOf([mayRead('/r'), mayWrite('/r/m')]));
    expect(writer.ok).toBe(true);
  });

  test('SCOPE-7: what one denies itself is free for another', () => {
    const half = rootsOf(['a', scopeOf([mayWrite('/w')], [mayWrite('/w/n')])]);
    expect(claim(half, claimant('n', 2), scopeOf([mayWrite('/w/n')])).ok).toBe(true);
  });

  test('LOG-17: a field of table or row that this version does not know stays', () => {
    const known = tableOf(allocationOf({ pod: 'old' }));
    const later = {
      ...known,
      later: 1,
      allocations: known.allocations.map((row) => ({ ...row, colour: 'red' })),
    };
    const { table } = granted(claim(later, claimant('n', 2), scopeOf([mayWrite('/n')])));
    expect(table).toMatchObject({ later: 1, allocations: [{ pod: 'old', colour: 'red' }, {}] });
  });
});

describe('delegate', () => {
  test('SCOPE-8: the row counts as the giver’s process until the child adopts it', () => {
    const { table, row } = granted(
      delegate(rootsOf(['a', all]), {
        spawner: 'a',
        child: claimant('b', 12),
        rules: [mayWrite('/w/b')],
      }),
    );
    expect(row).toMatchObject({ pod: 'b', pid: 1, startedAt: 101, socket: '/run/podd/b/sock' });
    expect(row).toMatchObject({ delegatedFrom: 'a', origin: { pod: 'a', store: '/state/pods/a' } });
    expect(granted(adopt(table, claimant('b', 12))).row).toMatchObject({
      pid: 12,
      startedAt: 112,
      delegatedFrom: 'a',
      allow: [mayWrite('/w/b')],
    });
  });

  test('SCOPE-8: the giver’s denies within the part are copied, the others are not', () => {
    expect(rowOf(family, 'b').deny).toEqual([mayRead('/w/b/key')]);
  });

  test('SCOPE-8: a rule that no rule of the giver covers is refused by name', () => {
    const rules = [mayWrite('/w/c'), mayWrite('/r/c')];
    const answer = delegate(family, { spawner: 'a', child: claimant('c', 13), rules });
    const owner = rowOf(family, 'a');
    expect(refused(answer)).toEqual({ kind: 'not_covered', rule: mayWrite('/r/c'), owner });
  });

  test('SCOPE-8: an earlier delegation refuses a write rule and allows a read rule', () => {
    const ask = (rule: ReturnType<typeof mayRead>): ReturnType<typeof delegate> =>
      delegate(family, { spawner: 'a', child: claimant('c', 13), rules: [rule] });
    const owner = rowOf(family, 'b');
    expect(refused(ask(mayWrite('/w')))).toMatchObject({ kind: 'overlap', owner });
    expect(refused(ask(mayWrite('/w/b/c')))).toEqual({ kind: 'overlap', path: '/w/b/c', owner });
    expect(ask(mayRead('/w/b')).ok).toBe(true);
    expect(ask(mayWrite('/w/c')).ok).toBe(true);
  });

  test('SCOPE-8: only a Pod with an entry gives, and only to a free name', () => {
    const ask = (spawner: string, child: string): ReturnType<typeof delegate> =>
      delegate(family, { spawner, child: claimant(child, 13), rules: [] });
    expect(refused(ask('gone', 'c'))).toEqual({ kind: 'not_registered', pod: 'gone' });
    for (const name of ['a', 'b'])
      expect(refused(ask('a', name))).toEqual({ kind: 'name_taken', owner: rowOf(family, name) });
  });
});

describe('adopt', () => {
  test('SCOPE-9: what nobody delegated, or a root owns, is not adopted', () => {
    for (const pod of ['gone', 'a'])
      expect(refused(adopt(family, claimant(pod, 20)))).toEqual({
        kind: 'no_such_delegation',
        pod,
      });
  });

  test('SCOPE-9: an entry is adopted once', () => {
    const answer = adopt(family, claimant('b', 20));
    expect(refused(answer)).toEqual({ kind: 'name_taken', owner: rowOf(family, 'b') });
  });

  test('SCOPE-9: a giver whose pid is the same and whose start time is not is another process', () => {
    const rows = [
      allocationOf({ pod: 'a', pid: 5, startedAt: 1 }),
      allocationOf({ pod: 'b', pid: 5, startedAt: 2, delegatedFrom: 'a' }),
    ];
    expect(refused(adopt(tableOf(...rows), claimant('b', 20))).kind).toBe('name_taken');
  });
});

describe('epochs', () => {
  test('SCOPE-19: every claim, delegation and adoption has a larger epoch than all before', () => {
    const first = rootsOf(['a', all], ['n', scopeOf([])]);
    const rules = [mayWrite('/w/b')];
    const given = granted(delegate(first, { spawner: 'a', child: claimant('b', 12), rules }));
    const adopted = granted(adopt(given.table, claimant('b', 12)));
    const epochs = [rowOf(first, 'a'), rowOf(first, 'n'), given.row, adopted.row];
    expect(epochs.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4]);
    expect(adopted.table.epoch).toBe(4);
  });

  test('SCOPE-19: an epoch is raised above what the store remembers, and the counter with it', () => {
    const raised = granted(raiseEpoch(family, rowOf(family, 'a'), 40));
    expect([raised.row.epoch, raised.table.epoch]).toEqual([41, 41]);
    expect(rowOf(raised.table, 'a')).toEqual(raised.row);
    // A store that remembers less than the counter still gets one that nobody had.
    const again = granted(raiseEpoch(raised.table, rowOf(family, 'b'), 2));
    expect(again.row.epoch).toBe(42);
  });

  test('SCOPE-19: who lost its epoch can’t raise it', () => {
    const stale = { pod: 'a', epoch: 99 };
    expect(refused(raiseEpoch(family, stale, 100))).toEqual({ kind: 'not_registered', pod: 'a' });
  });
});

describe('what is in effect', () => {
  const deep = spawned(family, 'b', claimant('c', 13), [mayWrite('/w/b/c'), mayRead('/w/b')]);
  const permission = (pod: string, path: string): string =>
    permissionOf(effectiveScope(deep, rowOf(deep, pod)), path);

  test('SCOPE-6: what is delegated stays in the giver’s rules and is no longer its to write', () => {
    expect(rowOf(deep, 'a').allow).toEqual(all.allow);
    expect(['/w/x', '/w/b/x', '/w/b/c/x'].map((path) => permission('a', path))).toEqual([
      'write',
      'read',
      'read',
    ]);
    expect(['/w/b/x', '/w/b/c/x'].map((path) => permission('b', path))).toEqual(['write', 'read']);
    expect(permission('c', '/w/b/c/x')).toBe('write');
  });

  test('SCOPE-6: a Pod’s delegations are the writes of all below it; a stranger has none', () => {
    expect(delegatedBy(deep, 'a').allow).toEqual([mayWrite('/w/b'), mayWrite('/w/b/c')]);
    expect(delegatedBy(deep, 'b').allow).toEqual([mayWrite('/w/b/c')]);
    expect(delegatedBy(deep, 'c')).toEqual({ allow: [], deny: [] });
    expect(delegatedBy(deep, 'stranger')).toEqual({ allow: [], deny: [] });
  });

  test('SCOPE-6: what hangs on a Pod is delegated, also if its row does not tell who spawned it', () => {
    const rows = [
      allocationOf({ pod: 'a' }),
      allocationOf({ pod: 'b', delegatedFrom: 'a' }),
      allocationOf({ pod: 'c', delegatedFrom: 'b' }),
    ];
    expect(delegatedBy(tableOf(...rows), 'a').allow).toEqual([mayWrite('/w/b'), mayWrite('/w/c')]);
  });

  test('SCOPE-10: depth counts the holders above a row', () => {
    expect(treeOf(deep)).toEqual(['a', 'b < a', 'c < b']);
    expect(deep.allocations.map((row) => depthOf(deep, row))).toEqual([0, 1, 2]);
  });

  test('SCOPE-10: a ring of delegations is a bug that stops, not an endless walk', () => {
    const ring = tableOf(
      allocationOf({ pod: 'a', delegatedFrom: 'b' }),
      allocationOf({ pod: 'b', delegatedFrom: 'a' }),
    );
    const [row = allocationOf({ pod: 'none' })] = ring.allocations;
    expect(() => depthOf(ring, row)).toThrow(InvariantError);
    expect(rowFor(ring, 'none')).toBeUndefined();
  });
});
