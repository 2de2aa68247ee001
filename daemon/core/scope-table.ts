import type {
  Allocation,
  PodOrigin,
  ProcessIdentity,
  RegistryTable,
} from '../../protocol/registry.ts';
import { REGISTRY_FORMAT } from '../../protocol/registry.ts';
import type { ScopeRule, ScopeRules } from '../../protocol/scope.ts';
import { invariant } from './assert.ts';
import { ok, refuse, type Result } from './result.ts';
import {
  isNearerAncestor,
  isSpawnOf,
  lineageOfChild,
  lineageOfReturned,
  nearestAncestor,
} from './scope-lineage.ts';
import { deniesWithin, isWithinScope, sharedWrite } from './scope-overlap.ts';
import { withoutDelegated } from './scope-rules.ts';

/**
 * The registry's table as data: every operation takes a table and answers a new one, and nothing here reads a file or
 * asks whether a process lives. What is delegated stays in the giver's `allow`: what is in effect is derived.
 */
export const EMPTY_TABLE: RegistryTable = {
  format: REGISTRY_FORMAT,
  rev: 0,
  epoch: 0,
  allocations: [],
};

/**
 * Why a table stays as it is, in terms a person can act on. `owner` is the row that stands in the way, or the one that
 * does not have what is asked of it.
 */
export type TableRefusal =
  | { readonly kind: 'name_taken'; readonly owner: Allocation }
  | { readonly kind: 'overlap'; readonly path: string; readonly owner: Allocation }
  | { readonly kind: 'not_registered'; readonly pod: string }
  | { readonly kind: 'not_covered'; readonly rule: ScopeRule; readonly owner: Allocation }
  | { readonly kind: 'no_such_delegation'; readonly pod: string };

export type Changed = { readonly table: RegistryTable; readonly row: Allocation };

/** Who claims: a process, the store that its name stands for, and where it will answer. */
export type Claimant = ProcessIdentity & {
  readonly pod: string;
  readonly store: string;
  readonly socket: string;
  /** Unix time in milliseconds. */
  readonly at: number;
  readonly version: string;
};

/**
 * A top-level claim. Those whom an earlier process of this Pod spawned become its delegations again, and what they
 * write is not claimed. The dead are to be reclaimed before.
 */
export function claim(
  table: RegistryTable,
  who: Claimant,
  scope: ScopeRules,
): Result<Changed, TableRefusal> {
  return grant(takeBack(table, who, null), rowOf(who, scope, NO_LINEAGE));
}

/** What a child is to get, and who gives it. */
export type Delegation = {
  readonly spawner: string;
  readonly child: Claimant;
  readonly rules: readonly ScopeRule[];
};

/**
 * Gives a part of the spawner's scope to a child that is about to start: each rule within one of the spawner's, its
 * denies copied. The row counts as the spawner's process until the child adopts it.
 */
export function delegate(
  table: RegistryTable,
  { spawner, child, rules }: Delegation,
): Result<Changed, TableRefusal> {
  const giver = rowFor(table, spawner);
  if (giver === undefined) return refuse({ kind: 'not_registered', pod: spawner });
  for (const rule of rules)
    if (!isWithinScope(rule, giver)) return refuse({ kind: 'not_covered', rule, owner: giver });
  const { pid, startedAt, bootId, pidNamespace } = giver;
  const row = rowOf(
    { ...child, pid, startedAt, bootId, pidNamespace },
    { allow: rules, deny: deniesWithin(giver, rules) },
    { delegatedFrom: giver.pod, ...lineageOfChild(child, giver) },
  );
  return grant(takeBack(table, child, giver.pod), row);
}

/** The child's own process takes over the row that was made for it. */
export function adopt(table: RegistryTable, who: Claimant): Result<Changed, TableRefusal> {
  const row = rowFor(table, who.pod);
  if (row === undefined || row.delegatedFrom === null)
    return refuse({ kind: 'no_such_delegation', pod: who.pod });
  const giver = rowFor(table, row.delegatedFrom);
  // It is the giver's process that stands in a row which nobody adopted yet.
  if (giver === undefined || !isSameProcess(row, giver))
    return refuse({ kind: 'name_taken', owner: row });
  const epoch = table.epoch + 1;
  const { at, ...identity } = who;
  const adopted = { ...row, ...identity, epoch, claimedAt: at };
  return ok({ table: { ...withRow(table, adopted), epoch }, row: adopted });
}

/** What a child knows of itself when it comes back: the scope and the lineage of the row that it had. */
export type Return = {
  readonly child: Claimant;
  readonly was: Pick<Allocation, 'allow' | 'deny' | 'origin' | 'ancestors'>;
};

/**
 * An adopted Pod whose row was reclaimed claims it again under its nearest ancestor that still lives, if its scope is
 * still that one's to give; with no ancestor left it is a root like any other.
 */
export function claimAgain(
  table: RegistryTable,
  { child, was }: Return,
): Result<Changed, TableRefusal> {
  // An ancestor may have come back as a child of this very Pod.
  const above = nearestAncestor(table.allocations, was, (row) => !isSpawnOf(row, child));
  if (above === undefined)
    return grant(
      takeBack(table, child, null),
      rowOf(child, was, { delegatedFrom: null, origin: was.origin, ancestors: was.ancestors }),
    );
  for (const rule of was.allow)
    if (!isWithinScope(rule, above)) return refuse({ kind: 'not_covered', rule, owner: above });
  const known = new Set(was.deny.map(toKey));
  const more = deniesWithin(above, was.allow).filter((rule) => !known.has(toKey(rule)));
  const row = rowOf(
    child,
    { allow: was.allow, deny: [...was.deny, ...more] },
    { delegatedFrom: above.pod, ...lineageOfReturned(child, was, above) },
  );
  return grant(takeBack(table, child, above.pod), row);
}

/** The row goes, its children are handed to its own parent. Nothing happens if it is another epoch's, or gone. */
export function release(table: RegistryTable, pod: string, epoch: number): RegistryTable {
  const row = rowFor(table, pod);
  if (row?.epoch !== epoch) return table;
  return withoutRows(table, new Set([pod]));
}

/** Takes out the rows of the dead, whose children go to the nearest ancestor that is left. */
export function reclaim(
  table: RegistryTable,
  isDead: (row: Allocation) => boolean,
): { readonly table: RegistryTable; readonly dead: readonly Allocation[] } {
  const dead = table.allocations.filter(isDead);
  if (dead.length === 0) return { table, dead };
  return { table: withoutRows(table, new Set(dead.map(({ pod }) => pod))), dead };
}

/** The table that the rows of live Pods make; `last` is the largest epoch that anybody remembers. */
export function rebuild(rows: readonly Allocation[], last: number): RegistryTable {
  const epoch = rows.reduce((largest, row) => Math.max(largest, row.epoch), last);
  const names = new Set(rows.map(({ pod }) => pod));
  const isOrphan = ({ delegatedFrom }: Allocation): boolean =>
    delegatedFrom !== null && !names.has(delegatedFrom);
  // Rows come from files: nobody is hung on one that hangs on it, whatever they say.
  const allocations = rows.map((row) => ({ ...row, delegatedFrom: null }));
  let table: RegistryTable = { ...EMPTY_TABLE, epoch, allocations };
  const mayHold = (row: Allocation, from: Allocation): boolean =>
    from.pod !== row.pod && !isBelow(table, from, row.pod);
  for (const row of [...rows.filter((one) => !isOrphan(one)), ...rows.filter(isOrphan)]) {
    if (row.delegatedFrom === null) continue;
    const named = rowFor(table, row.delegatedFrom);
    const heir =
      named !== undefined && mayHold(row, named)
        ? named
        : nearestAncestor(table.allocations, row, (one) => mayHold(row, one));
    table = withRow(table, { ...row, delegatedFrom: heir?.pod ?? null });
  }
  return table;
}

/** A store may remember a larger epoch than the registry: the row and the counter are raised above it. */
export function raiseEpoch(
  table: RegistryTable,
  holder: Pick<Allocation, 'pod' | 'epoch'>,
  above: number,
): Result<Changed, TableRefusal> {
  const row = rowFor(table, holder.pod);
  if (row?.epoch !== holder.epoch) return refuse({ kind: 'not_registered', pod: holder.pod });
  const epoch = Math.max(table.epoch, above) + 1;
  const raised = { ...row, epoch };
  return ok({ table: { ...withRow(table, raised), epoch }, row: raised });
}

export function rowFor(table: RegistryTable, pod: string): Allocation | undefined {
  return table.allocations.find((row) => row.pod === pod);
}

/** What is delegated away: what any Pod below writes. */
export function delegatedBy(table: RegistryTable, pod: string): ScopeRules {
  const row = rowFor(table, pod);
  return row === undefined
    ? { allow: [], deny: [] }
    : writesOf(table.allocations.filter((one) => isUnder(table, one, row)));
}

/** What a row may really touch: its own less what is delegated away. */
export function effectiveScope(table: RegistryTable, row: Allocation): ScopeRules {
  return withoutDelegated(row, delegatedBy(table, row.pod));
}

/** How many live holders are above it. */
export function depthOf(table: RegistryTable, row: Allocation): number {
  let depth = 0;
  for (let at = parentOf(table, row); at !== undefined; at = parentOf(table, at)) {
    depth += 1;
    invariant(depth <= table.allocations.length, `the delegations above ${row.pod} form a ring`);
  }
  return depth;
}

/** The one place where a row comes in: its name is free, and nobody else may write what it may. */
function grant(table: RegistryTable, row: Allocation): Result<Changed, TableRefusal> {
  const owner = rowFor(table, row.pod);
  if (owner !== undefined) return refuse({ kind: 'name_taken', owner });
  const epoch = table.epoch + 1;
  const granted = { ...row, epoch };
  const next = { ...table, epoch, allocations: [...table.allocations, granted] };
  let found: { path: string; owner: Allocation; depth: number } | null = null;
  for (const other of table.allocations) {
    // Of two that stand above each other, the upper one is capped by the lower one.
    if (isRelated(next, granted, other)) continue;
    // What a Pod delegated is looked up only where its own rules are in the way.
    if (sharedWrite(granted, other) === null) continue;
    const mine = withoutDelegated(granted, delegatedAgainst(next, granted, other));
    const path = sharedWrite(mine, withoutDelegated(other, delegatedAgainst(next, other, granted)));
    const depth = depthOf(table, other);
    if (path !== null && (found === null || depth > found.depth))
      found = { path, owner: other, depth };
  }
  if (found !== null) return refuse({ kind: 'overlap', path: found.path, owner: found.owner });
  return ok({ table: next, row: granted });
}

const NO_LINEAGE = { delegatedFrom: null, origin: null, ancestors: [] };

function rowOf(
  { at, ...who }: Claimant,
  { allow, deny }: { readonly allow: readonly ScopeRule[]; readonly deny: readonly ScopeRule[] },
  lineage: Pick<Allocation, 'delegatedFrom' | 'origin' | 'ancestors'>,
): Allocation {
  return { ...who, allow: [...allow], deny: [...deny], ...lineage, epoch: 0, claimedAt: at };
}

/** Rows that `self`, or one that it spawned, spawned, and that were handed past it to `above` when `self` died. */
function takeBack(table: RegistryTable, self: PodOrigin, above: string | null): RegistryTable {
  return {
    ...table,
    allocations: table.allocations.map((row) => {
      const isOurs = row.delegatedFrom === above && isNearerAncestor(row, self, above);
      return isOurs && row.pod !== self.pod ? { ...row, delegatedFrom: self.pod } : row;
    }),
  };
}

function toKey({ target, permission, recursive }: ScopeRule): string {
  return `${permission} ${recursive ? 'below' : 'at'} ${target}`;
}

function isSameProcess(a: ProcessIdentity, b: ProcessIdentity): boolean {
  return a.pid === b.pid && a.startedAt === b.startedAt && a.bootId === b.bootId;
}

function parentOf(table: RegistryTable, { delegatedFrom }: Allocation): Allocation | undefined {
  return delegatedFrom === null ? undefined : rowFor(table, delegatedFrom);
}

function isBelow(table: RegistryTable, row: Allocation, pod: string): boolean {
  let steps = 0;
  for (let at = row.delegatedFrom; at !== null; at = rowFor(table, at)?.delegatedFrom ?? null) {
    if (at === pod) return true;
    steps += 1;
    invariant(steps <= table.allocations.length, `the delegations above ${row.pod} form a ring`);
  }
  return false;
}

/**
 * What the row writes is not the other's: it hangs on it, or was spawned by it, and another Pod holds it meanwhile. A
 * Pod whose own ancestor came back below it is not under that one.
 */
function isUnder(table: RegistryTable, row: Allocation, other: Allocation): boolean {
  if (row.pod === other.pod) return false;
  if (isBelow(table, row, other.pod)) return true;
  return !isBelow(table, other, row.pod) && isSpawnOf(row, other);
}

function isRelated(table: RegistryTable, row: Allocation, other: Allocation): boolean {
  return isUnder(table, row, other) || isUnder(table, other, row);
}

/** What those below `row` keep from `other` for good: one that has to do with both leaves its part to either. */
function delegatedAgainst(table: RegistryTable, row: Allocation, other: Allocation): ScopeRules {
  return writesOf(
    table.allocations.filter(
      (one) => isUnder(table, one, row) && one !== other && !isRelated(table, one, other),
    ),
  );
}

function writesOf(rows: readonly Allocation[]): ScopeRules {
  const writes = rows.flatMap(({ allow }) => allow.filter((rule) => rule.permission === 'write'));
  return { allow: writes, deny: [] };
}

function withRow(table: RegistryTable, row: Allocation): RegistryTable {
  return {
    ...table,
    allocations: table.allocations.map((one) => (one.pod === row.pod ? row : one)),
  };
}

function withoutRows(table: RegistryTable, gone: ReadonlySet<string>): RegistryTable {
  const heir = (from: string | null): string | null => {
    let at = from;
    for (let steps = 0; at !== null && gone.has(at); steps += 1) {
      invariant(steps <= gone.size, `the delegations above ${at} form a ring`);
      at = rowFor(table, at)?.delegatedFrom ?? null;
    }
    return at;
  };
  return {
    ...table,
    allocations: table.allocations
      .filter(({ pod }) => !gone.has(pod))
      .map((row) => {
        const delegatedFrom = heir(row.delegatedFrom);
        return delegatedFrom === row.delegatedFrom ? row : { ...row, delegatedFrom };
      }),
  };
}
