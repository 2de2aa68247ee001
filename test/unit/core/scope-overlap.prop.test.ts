import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  deniesWithin,
  isSubset,
  isWithinScope,
  overlaps,
  sharedWrite,
} from '../../../daemon/core/scope-overlap.ts';
import type { ScopeRule, ScopeRules } from '../../../protocol/scope.ts';

/**
 * The model knows no string: a tree as lists of components, five deep, two generations below the deepest target. `z`
 * stands for all names that no rule has, without which children other than the targets would be missed.
 */
const RULE_NAMES = ['a', 'ab'];
const NAMES = [...RULE_NAMES, 'z'];
const DEPTH = 5;
type Parts = readonly string[];
type ModelRule = {
  readonly parts: Parts;
  readonly permission: 'read' | 'write';
  readonly recursive: boolean;
};
type ModelScope = { readonly allow: readonly ModelRule[]; readonly deny: readonly ModelRule[] };

const EVERY_PATH = allPaths(DEPTH);

const rule: fc.Arbitrary<ModelRule> = fc.record({
  parts: fc.array(fc.constantFrom(...RULE_NAMES), { maxLength: DEPTH - 2 }),
  permission: fc.constantFrom<'read' | 'write'>('read', 'write'),
  recursive: fc.boolean(),
});
const scope: fc.Arbitrary<ModelScope> = fc.record({
  allow: fc.array(rule, { maxLength: 4 }),
  deny: fc.array(rule, { maxLength: 4 }),
});

function allPaths(depth: number): readonly Parts[] {
  if (depth === 0) return [[]];
  const shorter = allPaths(depth - 1);
  const deepest = shorter.filter((path) => path.length === depth - 1);
  return [...shorter, ...deepest.flatMap((path) => NAMES.map((name) => [...path, name]))];
}

const toPath = (parts: Parts): string => `/${parts.join('/')}`;
const toRule = ({ parts, ...rest }: ModelRule): ScopeRule => ({ target: toPath(parts), ...rest });
const toRules = ({ allow, deny }: ModelScope): ScopeRules => ({
  allow: allow.map(toRule),
  deny: deny.map(toRule),
});

function isCovered(path: Parts, { parts, recursive }: ModelRule): boolean {
  const generations = path.length - parts.length;
  if (generations < 0 || parts.some((part, index) => part !== path[index])) return false;
  return recursive || generations <= 1;
}

const RANKS = { none: 0, read: 1, write: 2 } as const;

function rankAt(path: Parts, { allow, deny }: ModelScope): number {
  const given = allow.filter((one) => isCovered(path, one)).map((one) => RANKS[one.permission]);
  const capped = deny.filter((one) => isCovered(path, one)).map((one) => RANKS[one.permission] - 1);
  return Math.min(Math.max(0, ...given), ...capped);
}

describe('rules against all paths of a small tree', () => {
  test('SCOPE-14: two rules overlap if a path is covered by both, and only then', () => {
    fc.assert(
      fc.property(rule, rule, (a, b) => {
        const expected = EVERY_PATH.some((path) => isCovered(path, a) && isCovered(path, b));
        expect(overlaps(toRule(a), toRule(b))).toBe(expected);
        expect(overlaps(toRule(b), toRule(a))).toBe(expected);
      }),
      { numRuns: 2_000 },
    );
  });

  test('SCOPE-14: a rule is a subset if all that it covers is covered by the other, and only then', () => {
    fc.assert(
      fc.property(rule, rule, (inner, outer) => {
        const covered = EVERY_PATH.filter((path) => isCovered(path, inner));
        const expected = covered.every((path) => isCovered(path, outer));
        expect(isSubset(toRule(inner), toRule(outer))).toBe(expected);
      }),
      { numRuns: 2_000 },
    );
  });

  test('SCOPE-14: a shared write is found if a path may be written by both, and only then', () => {
    let met = 0;
    fc.assert(
      fc.property(scope, scope, (a, b) => {
        const shared = EVERY_PATH.filter(
          (path) => rankAt(path, a) === RANKS.write && rankAt(path, b) === RANKS.write,
        );
        const found = sharedWrite(toRules(a), toRules(b));
        expect(found !== null, String(found)).toBe(shared.length > 0);
        if (found === null) return;
        met += 1;
        // What is told is the target of a rule, and a shared path is it or lies not far below.
        const targets = [a, b].flatMap(({ allow, deny }) => [...allow, ...deny]);
        expect(targets.map(({ parts }) => toPath(parts))).toContain(found);
        const told: ModelRule = {
          parts: found.split('/').filter((part) => part !== ''),
          permission: 'write',
          recursive: true,
        };
        expect(shared.some((path) => isCovered(path, told))).toBe(true);
      }),
      { numRuns: 1_500 },
    );
    // Both answers have to be common, or one of them was not tried.
    expect(met).toBeGreaterThan(100);
    expect(met).toBeLessThan(1_400);
  });

  test('SCOPE-8 INV-11: what is within a scope, with the denies copied, permits no more than that scope', () => {
    let within = 0;
    fc.assert(
      fc.property(rule, scope, (part, giver) => {
        if (!isWithinScope(toRule(part), toRules(giver))) return;
        within += 1;
        const deny = giver.deny.filter(
          (one) => deniesWithin(toRules({ allow: [], deny: [one] }), [toRule(part)]).length > 0,
        );
        for (const path of EVERY_PATH)
          expect(rankAt(path, { allow: [part], deny }), toPath(path)).toBeLessThanOrEqual(
            rankAt(path, giver),
          );
      }),
      { numRuns: 2_000 },
    );
    expect(within).toBeGreaterThan(100);
  });
});
