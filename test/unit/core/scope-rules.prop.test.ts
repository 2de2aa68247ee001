import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { permissionOf, withoutDelegated } from '../../../daemon/core/scope-rules.ts';
import type { Permission } from '../../../daemon/core/scope-rules.ts';
import type { ScopeRule, ScopeRules } from '../../../protocol/scope.ts';

/**
 * The model knows no string at all: a tree of four names, three deep, as lists of components. Each path is asked
 * by walking down from every rule's target and painting what it covers.
 */
const NAMES = ['a', 'ab', 'a b', 'é'];
type Parts = readonly string[];

const parts = fc.array(fc.constantFrom(...NAMES), { maxLength: 3 });
const permission = fc.constantFrom<'read' | 'write'>('read', 'write');
const rule = fc.record({ parts, permission, recursive: fc.boolean() });
type ModelRule = { parts: Parts; permission: 'read' | 'write'; recursive: boolean };
const ruleList = fc.array(rule, { maxLength: 5 });

const EVERY_PATH: readonly Parts[] = allPaths(4);

function allPaths(depth: number): Parts[] {
  if (depth === 0) return [[]];
  const shorter = allPaths(depth - 1);
  const deepest = shorter.filter((path) => path.length === depth - 1);
  return [...shorter, ...deepest.flatMap((path) => NAMES.map((name) => [...path, name]))];
}

const toPath = (list: Parts): string => `/${list.join('/')}`;
const key = (list: Parts): string => JSON.stringify(list);
const toRule = ({ parts: at, ...rest }: ModelRule): ScopeRule => ({ target: toPath(at), ...rest });
const toRules = (allow: ModelRule[], deny: ModelRule[]): ScopeRules => ({
  allow: allow.map(toRule),
  deny: deny.map(toRule),
});

function paint({ parts: at, recursive }: ModelRule): Set<string> {
  const painted = new Set([key(at)]);
  let edge: Parts[] = [at];
  do {
    edge = edge
      .flatMap((path) => NAMES.map((name) => [...path, name]))
      .filter((p) => p.length <= 4);
    for (const path of edge) painted.add(key(path));
  } while (recursive && edge.length > 0);
  return painted;
}

function expected(allow: ModelRule[], deny: ModelRule[]): Map<string, Permission> {
  const answers = new Map<string, Permission>();
  const denied = deny.map((each) => ({ each, painted: paint(each) }));
  const allowed = allow.map((each) => ({ each, painted: paint(each) }));
  for (const path of EVERY_PATH) {
    const at = key(path);
    const can = (wanted: 'read' | 'write'): boolean =>
      allowed.some(
        ({ each, painted }) =>
          painted.has(at) && (each.permission === 'write' || wanted === 'read'),
      ) &&
      !denied.some(
        ({ each, painted }) =>
          painted.has(at) && (each.permission === 'read' || wanted === 'write'),
      );
    answers.set(at, can('write') ? 'write' : can('read') ? 'read' : 'none');
  }
  return answers;
}

describe('permissionOf, all paths of a small tree', () => {
  test('SCOPE-1, SCOPE-2: any rules give what a brute-force model gives', () => {
    fc.assert(
      fc.property(ruleList, ruleList, (allow, deny) => {
        const model = expected(allow, deny);
        const rules = toRules(allow, deny);
        for (const path of EVERY_PATH)
          expect(permissionOf(rules, toPath(path)), toPath(path)).toBe(model.get(key(path)));
      }),
      { numRuns: 150 },
    );
  });

  test('SCOPE-2: delegating takes writing where it was delegated, and nothing else', () => {
    fc.assert(
      fc.property(ruleList, ruleList, ruleList, (allow, deny, delegated) => {
        const own = toRules(allow, deny);
        const given = toRules(delegated, []);
        const effective = withoutDelegated(own, given);
        for (const path of EVERY_PATH.map(toPath)) {
          const before = permissionOf(own, path);
          const away = permissionOf(given, path) === 'write';
          const after = before === 'write' && away ? 'read' : before;
          expect(permissionOf(effective, path), path).toBe(after);
        }
      }),
      { numRuns: 100 },
    );
  });
});
