import type { Allocation, RegistryTable } from '../../protocol/registry.ts';
import type { ScopeRule, ScopeRules } from '../../protocol/scope.ts';
import type { Result } from '../../daemon/core/result.ts';
import type { Changed, Claimant, TableRefusal } from '../../daemon/core/scope-table.ts';
import {
  adopt,
  claim,
  delegate,
  EMPTY_TABLE,
  reclaim,
  rowFor,
} from '../../daemon/core/scope-table.ts';

/** Steps on a registry's table that a test takes for granted: each throws when it is refused. */
export function claimant(pod: string, pid: number): Claimant {
  const identity = { pid, startedAt: 100 + pid, bootId: 'boot-1', pidNamespace: 'pid:[1]' };
  const places = { store: `/state/pods/${pod}`, socket: `/run/podd/${pod}/sock` };
  return { ...identity, ...places, pod, at: 1_000 + pid, version: '0.2.0' };
}

export function scopeOf(allow: readonly ScopeRule[], deny: readonly ScopeRule[] = []): ScopeRules {
  return { allow: [...allow], deny: [...deny] };
}

/** Roots, with pids 1, 2, 3 and so on. */
export function rootsOf(...roots: readonly (readonly [string, ScopeRules])[]): RegistryTable {
  let table = EMPTY_TABLE;
  for (const [index, [pod, scope]] of roots.entries())
    table = granted(claim(table, claimant(pod, index + 1), scope)).table;
  return table;
}

/** A child that has adopted what it was given, by a process of its own. */
export function spawned(
  table: RegistryTable,
  spawner: string,
  child: Claimant,
  rules: readonly ScopeRule[],
): RegistryTable {
  const given = granted(delegate(table, { spawner, child, rules })).table;
  return granted(adopt(given, child)).table;
}

/** These Pods died, and the next one to open the registry saw it. */
export function withoutDead(table: RegistryTable, ...dead: readonly string[]): RegistryTable {
  return reclaim(table, ({ pod }) => dead.includes(pod)).table;
}

export function granted(result: Result<Changed, TableRefusal>): Changed {
  if (!result.ok) throw new Error(`refused: ${JSON.stringify(result.error)}`);
  return result.value;
}

export function refused(result: Result<Changed, TableRefusal>): TableRefusal {
  if (result.ok) throw new Error(`granted: ${JSON.stringify(result.value.row)}`);
  return result.error;
}

export function rowOf(table: RegistryTable, pod: string): Allocation {
  const row = rowFor(table, pod);
  if (row === undefined) throw new Error(`${pod} has no row`);
  return row;
}

/** Who hangs on whom: `child < parent`, in the order of the rows. */
export function treeOf(table: RegistryTable): readonly string[] {
  return table.allocations.map(({ pod, delegatedFrom }) =>
    delegatedFrom === null ? pod : `${pod} < ${delegatedFrom}`,
  );
}
