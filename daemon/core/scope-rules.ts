import type { ScopeRule, ScopeRules } from '../../protocol/scope.ts';
import { invariant } from './assert.ts';

/** What may be done with a path. Writing includes reading. */
export type Permission = 'none' | 'read' | 'write';

const BY_RANK = ['none', 'read', 'write'] as const;
const RANK: Readonly<Record<Permission, number>> = { none: 0, read: 1, write: 2 };

/**
 * The highest allow that covers `path`, capped strictly below the lowest deny that does. Neither order nor depth of
 * the rules counts. `path` is canonical; what is not (relative, or with `.` or `..`) has no permission.
 */
export function permissionOf(rules: ScopeRules, path: string): Permission {
  const parts = toParts(path);
  if (parts === null) return 'none';
  let rank = RANK.none;
  for (const rule of rules.allow)
    if (covers(rule, parts)) rank = Math.max(rank, RANK[rule.permission]);
  for (const rule of rules.deny)
    if (covers(rule, parts)) rank = Math.min(rank, RANK[rule.permission] - 1);
  return BY_RANK[rank] ?? 'none';
}

/** The rules with what is delegated away capped to reading, as if by a deny. */
export function withoutDelegated(own: ScopeRules, delegated: ScopeRules): ScopeRules {
  const writes = delegated.allow.filter((rule) => rule.permission === 'write');
  return { allow: own.allow, deny: [...own.deny, ...writes] };
}

/** `path` is `folder` or lies below it, component by component. Both are canonical. */
export function isWithin(path: string, folder: string): boolean {
  const parts = toParts(path);
  const above = toParts(folder);
  return parts !== null && above !== null && startsWith(parts, above);
}

/**
 * Lines for a system prompt: what a Pod may write, what it may only read, and what is taken out of either, since a
 * model that is told of a folder and not of its exceptions runs into them. What is delegated is not among them.
 */
export function summarizeScope(own: ScopeRules, delegated: ScopeRules): readonly string[] {
  const effective = withoutDelegated(own, delegated);
  const targets = ownTargets(own.allow).filter(
    ({ target }) => permissionOf(own, target) === permissionOf(effective, target),
  );
  const grants = (permission: Permission): ScopeRule[] =>
    targets.filter(({ target }) => permissionOf(own, target) === permission);
  const listed = [...grants('write'), ...grants('read')];
  const except = (permission: Permission): ScopeRule[] =>
    ownTargets(own.deny).filter(
      (rule) =>
        permissionOf(own, rule.target) === permission &&
        listed.some(({ target }) => target !== rule.target && isWithin(rule.target, target)),
    );
  return [
    ...section('Writable:', grants('write')),
    ...section('Readable:', grants('read')),
    ...section('Within these, read only:', except('read')),
    ...section('Within these, no access:', except('none')),
  ];
}

function section(title: string, rules: readonly ScopeRule[]): string[] {
  if (rules.length === 0) return [];
  const mark = (rule: ScopeRule): string =>
    rule.recursive ? '' : ' (not recursive: itself and its direct children only)';
  return [title, ...rules.map((rule) => `- ${rule.target}${mark(rule)}`)];
}

// One line a target: of two rules on one target, the recursive one says more.
function ownTargets(rules: readonly ScopeRule[]): ScopeRule[] {
  const byTarget = new Map<string, ScopeRule>();
  for (const rule of rules) {
    const known = byTarget.get(rule.target);
    if (known === undefined || (rule.recursive && !known.recursive))
      byTarget.set(rule.target, rule);
  }
  return [...byTarget.values()];
}

function covers(rule: ScopeRule, parts: readonly string[]): boolean {
  const target = toParts(rule.target);
  invariant(target !== null, `the scope rule on ${rule.target} is not canonical`);
  if (!startsWith(parts, target)) return false;
  return rule.recursive || parts.length <= target.length + 1;
}

function startsWith(parts: readonly string[], above: readonly string[]): boolean {
  return above.length <= parts.length && above.every((part, i) => part === parts[i]);
}

function toParts(path: string): readonly string[] | null {
  if (!path.startsWith('/')) return null;
  const parts = path.split('/').filter((part) => part !== '');
  return parts.some((part) => part === '.' || part === '..') ? null : parts;
}
