import { describe, expect, test } from 'vitest';
import {
  deniesWithin,
  isSubset,
  isWithinScope,
  overlaps,
  sharedWrite,
} from '../../../daemon/core/scope-overlap.ts';
import type { ScopeRule, ScopeRules } from '../../../protocol/scope.ts';
import { mayRead, mayWrite } from '../../support/registry-table.ts';

const below = mayWrite;
const at = (target: string): ScopeRule => ({ ...mayWrite(target), recursive: false });
const scope = (allow: ScopeRule[], deny: ScopeRule[] = []): ScopeRules => ({ allow, deny });

describe('overlaps', () => {
  test.each([
    ['two recursive rules, one within the other', below('/w'), below('/w/a/b'), true],
    ['two recursive rules beside each other', below('/w/a'), below('/w/ab'), false],
    ['a recursive rule and a file-deep one below it', below('/w'), at('/w/a/b'), true],
    ['a recursive rule that is a child of a file-deep one', below('/w/a'), at('/w'), true],
    ['a recursive rule two below a file-deep one', below('/w/a/b'), at('/w'), false],
    ['two file-deep rules on one target', at('/w'), at('/w'), true],
    ['two file-deep rules, parent and child', at('/w'), at('/w/a'), true],
    ['two file-deep rules, two generations apart', at('/w'), at('/w/a/b'), false],
    ['the root and its child', at('/'), below('/w'), true],
    ['the root and its grandchild', at('/'), below('/w/a'), false],
  ])('SCOPE-14: %s', (_what, a, b, expected) => {
    expect(overlaps(a, b)).toBe(expected);
    expect(overlaps(b, a)).toBe(expected);
  });
});

describe('isSubset', () => {
  test.each([
    ['a recursive rule within a recursive one', below('/w/a'), below('/w'), true],
    ['a recursive rule within one of a longer name', below('/w/ab'), below('/w/a'), false],
    ['a file-deep rule within a recursive one', at('/w/a'), below('/w'), true],
    ['a recursive rule and a file-deep one on its target', below('/w'), at('/w'), false],
    ['a file-deep rule and the same again', at('/w'), at('/w'), true],
    ['a file-deep rule and its parent’s', at('/w/a'), at('/w'), false],
  ])('SCOPE-14: %s', (_what, inner, outer, expected) => {
    expect(isSubset(inner, outer)).toBe(expected);
  });
});

describe('sharedWrite', () => {
  test('SCOPE-14 SCOPE-7: two who write one folder share it, and the deeper target is told', () => {
    expect(sharedWrite(scope([below('/w')]), scope([below('/w/a')]))).toBe('/w/a');
    expect(sharedWrite(scope([below('/w/a')]), scope([below('/w')]))).toBe('/w/a');
  });

  test('SCOPE-7: who reads shares no write with anybody', () => {
    expect(sharedWrite(scope([mayRead('/w')]), scope([below('/w')]))).toBeNull();
    expect(sharedWrite(scope([mayRead('/w')]), scope([mayRead('/w')]))).toBeNull();
  });

  test('SCOPE-14: a deny over the common part leaves nothing shared, one beside it does not', () => {
    expect(sharedWrite(scope([below('/w')], [below('/w/a')]), scope([below('/w/a')]))).toBeNull();
    expect(sharedWrite(scope([below('/w')], [below('/w/b')]), scope([below('/w/a')]))).toBe('/w/a');
  });

  test('SCOPE-14: a deny that is not recursive leaves the grandchildren shared', () => {
    const most = scope([below('/w')], [at('/w')]);
    expect(sharedWrite(most, scope([below('/w')]))).toBe('/w');
    expect(sharedWrite(most, scope([at('/w')]))).toBeNull();
  });
});

describe('isWithinScope', () => {
  test('SCOPE-8: one allow rule has to cover all of it, two halves do not make a whole', () => {
    const giver = scope([below('/w/a'), below('/w/b'), mayRead('/r')]);
    expect(isWithinScope(below('/w/a/x'), giver)).toBe(true);
    expect(isWithinScope(mayRead('/w/a'), giver)).toBe(true);
    expect(isWithinScope(below('/w'), giver)).toBe(false);
    expect(isWithinScope(below('/r/x'), giver)).toBe(false);
  });

  test('SCOPE-8: a target that a deny takes is not given, one above it is, with the deny', () => {
    const giver = scope([below('/w')], [below('/w/a'), mayRead('/w/b/key')]);
    expect(isWithinScope(below('/w/a/x'), giver)).toBe(false);
    expect(isWithinScope(mayRead('/w/a/x'), giver)).toBe(true);
    expect(isWithinScope(mayRead('/w/b/key'), giver)).toBe(false);
    expect(isWithinScope(below('/w/b'), giver)).toBe(true);
    expect(deniesWithin(giver, [below('/w/b')])).toEqual([mayRead('/w/b/key')]);
  });
});
