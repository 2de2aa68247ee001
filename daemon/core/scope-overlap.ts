import type { ScopeRule, ScopeRules } from '../../protocol/scope.ts';
import { isWithin, permissionOf } from './scope-rules.ts';

/** The two rules have a path in common. Permissions do not count. */
export function overlaps(a: ScopeRule, b: ScopeRule): boolean {
  if (a.recursive && b.recursive)
    return isWithin(a.target, b.target) || isWithin(b.target, a.target);
  if (a.recursive) return isWithin(b.target, a.target) || isChildOf(a.target, b.target);
  if (b.recursive) return overlaps(b, a);
  return a.target === b.target || isChildOf(a.target, b.target) || isChildOf(b.target, a.target);
}

/** Every path of `inner` is one of `outer`. Permissions do not count. */
export function isSubset(inner: ScopeRule, outer: ScopeRule): boolean {
  if (outer.recursive) return isWithin(inner.target, outer.target);
  return !inner.recursive && inner.target === outer.target;
}

/**
 * A path that both may write, or null if there is none. Exact: between the targets of both sides permissions do not
 * change, so each target, one nameless child of it and one nameless grandchild stand for all paths.
 */
export function sharedWrite(a: ScopeRules, b: ScopeRules): string | null {
  const writesOfA = a.allow.filter(isWrite);
  const writesOfB = b.allow.filter(isWrite);
  // Most pairs of Pods are far from each other, and that is seen without looking at a path.
  if (!writesOfA.some((one) => writesOfB.some((other) => overlaps(one, other)))) return null;
  const targets = new Set([a, b].flatMap(({ allow, deny }) => [...allow, ...deny]).map(toTarget));
  const mayBoth = (path: string): boolean =>
    permissionOf(a, path) === 'write' && permissionOf(b, path) === 'write';
  for (const target of targets) {
    if (mayBoth(target)) return target;
    const inside = target === '/' ? '' : target;
    const child = `${inside}/${NAMELESS}`;
    // What is told is a path that a person knows.
    if (mayBoth(child) || mayBoth(`${child}/${NAMELESS}`)) return target;
  }
  return null;
}

/** One allow rule of the scope covers the whole rule, and no deny takes its target. Denies below it are to be copied. */
export function isWithinScope(rule: ScopeRule, scope: ScopeRules): boolean {
  if (!scope.allow.some((outer) => isGiven(rule, outer))) return false;
  const has = permissionOf(scope, rule.target);
  return has === 'write' || has === rule.permission;
}

/** The denies of the scope that take something of these rules. */
export function deniesWithin(scope: ScopeRules, rules: readonly ScopeRule[]): ScopeRule[] {
  return scope.deny.filter((one) => rules.some((rule) => overlaps(one, rule)));
}

/** No file has it: NUL ends a path. */
const NAMELESS = '\0';

function isGiven(rule: ScopeRule, outer: ScopeRule): boolean {
  const permitted = outer.permission === 'write' || rule.permission === 'read';
  return permitted && isSubset(rule, outer);
}

function isWrite({ permission }: ScopeRule): boolean {
  return permission === 'write';
}

function toTarget({ target }: ScopeRule): string {
  return target;
}

function isChildOf(path: string, folder: string): boolean {
  const name = path.slice(folder === '/' ? 1 : folder.length + 1);
  return path !== folder && isWithin(path, folder) && !name.includes('/');
}
