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
import { isSubset, overlaps, sharedWrite } from './scope-overlap.ts';
import { permissionOf, withoutDelegated } from './scope-rules.ts';

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

/** Why a table stays as it is, in terms a person can act on. `owner` is the row that stands in the way. */
export type TableRefusal =
  | { readonly kind: 'name_taken'; readonly owner: Allocation }
  | { readonly kind: 'overlap'; readonly path: string; readonly owner: Allocation }
  | { readonly kind: 'not_registered'; readonly pod: string }
  | { readonly kind: 'not_covered'; readonly rule: ScopeRule }
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
    if (!isWithinScope(rule, giver)) return refuse({ kind: 'not_covered', rule });
  const { pid, startedAt, bootId, pidNamespace } = giver;
  const row = rowOf(
    { ...child, pid, startedAt, bootId, pidNamespace },
    { allow: rules, deny: deniesWithin(giver, rules) },
    { delegatedFrom: giver.pod, origin: originOf(giver), ancestors: lineageOf(giver) },
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
  const above = nearestLiving(table.allocations, was);
  for (const rule of above === undefined ? [] : was.allow)
    if (above !== undefined && !isWithinScope(rule, above))
      return refuse({ kind: 'not_covered', rule });
  const deny = above === undefined ? [] : deniesWithin(above, was.allow);
  const delegatedFrom = above?.pod ?? null;
  const { origin, ancestors } = was;
  const row = rowOf(
    child,
    { allow: was.allow, deny: [...was.deny, ...deny] },
    { delegatedFrom, origin, ancestors },
  );
  return grant(takeBack(table, child, delegatedFrom), row);
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
  const allocations = rows.map((row) => {
    if (row.delegatedFrom === null || names.has(row.delegatedFrom)) return row;
    return { ...row, delegatedFrom: nearestLiving(rows, row)?.pod ?? null };
  });
  return { ...EMPTY_TABLE, epoch, allocations };
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
  const below = table.allocations.filter((row) => isBelow(table, row, pod));
  return {
    allow: below.flatMap(({ allow }) => allow.filter(({ permission }) => permission === 'write')),
    deny: [],
  };
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
  const mine = effectiveScope(next, granted);
  let found: { path: string; owner: Allocation; depth: number } | null = null;
  for (const other of table.allocations) {
    // Its giver is capped by this very row.
    if (isBelow(next, granted, other.pod)) continue;
    // What a Pod delegated is looked up only where its own rules are in the way.
    if (sharedWrite(mine, other) === null) continue;
    const path = sharedWrite(mine, effectiveScope(table, other));
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

/** Rows that `self`, or one that it spawned, spawned, and that were handed on to `above` when `self` died. */
function takeBack(table: RegistryTable, self: PodOrigin, above: string | null): RegistryTable {
  return {
    ...table,
    allocations: table.allocations.map((row) => {
      const isOurs = row.pod !== self.pod && lineageOf(row).some((one) => isSamePod(one, self));
      return isOurs && row.delegatedFrom === above ? { ...row, delegatedFrom: self.pod } : row;
    }),
  };
}

function originOf({ pod, store }: Allocation): PodOrigin {
  return { pod, store };
}

function lineageOf({ origin, ancestors }: Pick<Allocation, 'origin' | 'ancestors'>): PodOrigin[] {
  return origin === null ? [] : [origin, ...ancestors];
}

function nearestLiving(
  rows: readonly Allocation[],
  below: Pick<Allocation, 'origin' | 'ancestors'>,
): Allocation | undefined {
  return lineageOf(below)
    .map((one) => rows.find((row) => isSamePod(row, one)))
    .find((row) => row !== undefined);
}

function isSamePod(a: PodOrigin, b: PodOrigin): boolean {
  return a.pod === b.pod && a.store === b.store;
}

function deniesWithin(giver: Allocation, rules: readonly ScopeRule[]): ScopeRule[] {
  return giver.deny.filter((one) => rules.some((rule) => overlaps(one, rule)));
}

function isWithinScope(rule: ScopeRule, giver: Allocation): boolean {
  if (!giver.allow.some((outer) => isGiven(rule, outer))) return false;
  const has = permissionOf(giver, rule.target);
  return has === 'write' || has === rule.permission;
}

function isGiven(rule: ScopeRule, outer: ScopeRule): boolean {
  const permitted = outer.permission === 'write' || rule.permission === 'read';
  return permitted && isSubset(rule, outer);
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

function withRow(table: RegistryTable, row: Allocation): RegistryTable {
  return {
    ...table,
    allocations: table.allocations.map((one) => (one.pod === row.pod ? row : one)),
  };
}

function withoutRows(table: RegistryTable, gone: ReadonlySet<string>): RegistryTable {
  const heir = (from: string | null): string | null => {
    let at = from;
    while (at !== null && gone.has(at)) at = rowFor(table, at)?.delegatedFrom ?? null;
    return at;
  };
  return {
    ...table,
    allocations: table.allocations
      .filter(({ pod }) => !gone.has(pod))
      .map((row) => ({ ...row, delegatedFrom: heir(row.delegatedFrom) })),
  };
}
