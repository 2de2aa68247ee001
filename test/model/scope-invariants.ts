import type { Allocation, RegistryTable } from '../../protocol/registry.ts';
import type { ScopeRule, ScopeRules } from '../../protocol/scope.ts';
import { effectiveScope, reclaim, release, rowFor } from '../../daemon/core/scope-table.ts';
import type { Family, Outcome, Pod, Step, World } from './scope-world.ts';
import { isDead, isSpawnOf, PODS } from './scope-world.ts';

/**
 * What must hold in every world and on every step. Paths are compared by painting them, one bit a path, so nothing
 * here leans on the code that decides whether two scopes meet.
 */
export class PaintedPaths {
  readonly #paths: readonly string[];
  readonly #bits = new Map<string, number>();

  /** Each target, and two generations below it that no rule names. */
  constructor(family: Family) {
    const targets = new Set(
      PODS.flatMap((pod) => [...family[pod].allow, ...family[pod].deny]).map((rule) => rule.target),
    );
    const paths = [...targets].flatMap((target) => [target, `${target}/_`, `${target}/_/_`]);
    if (paths.length > 31) throw new Error('more paths than bits');
    this.#paths = paths;
  }

  writes({ allow, deny }: ScopeRules): number {
    let bits = 0;
    for (const rule of allow) if (rule.permission === 'write') bits |= this.#paint(rule);
    for (const rule of deny) bits &= ~this.#paint(rule);
    return bits;
  }

  #paint(rule: ScopeRule): number {
    const key = `${rule.target}${rule.recursive ? '' : ' '}`;
    const known = this.#bits.get(key);
    if (known !== undefined) return known;
    let bits = 0;
    for (const [index, path] of this.#paths.entries()) {
      const below = path.startsWith(`${rule.target}/`) ? path.slice(rule.target.length + 1) : null;
      const isChild = below !== null && (rule.recursive || !below.includes('/'));
      if (path === rule.target || isChild) bits |= 1 << index;
    }
    this.#bits.set(key, bits);
    return bits;
  }
}

/** Everything that is wrong with a world, in words; empty when it is sound. */
export function worldProblems(world: World, paths: PaintedPaths): readonly string[] {
  const { table } = world;
  const problems: string[] = [];
  for (const row of table.allocations) {
    const from = row.delegatedFrom;
    if (from !== null && rowFor(table, from) === undefined)
      problems.push(`${row.pod} hangs on ${from}, which has no row`);
    if (isInRing(table, row)) return [`the delegations above ${row.pod} form a ring`];
  }
  for (const pod of PODS) {
    const { process } = world.pods[pod];
    if (process?.epoch == null) continue;
    const row = rowFor(table, pod);
    if (row?.epoch !== process.epoch || row.pid !== process.pid)
      problems.push(`${pod} lives and has lost its row`);
  }
  // Rows that nobody adopted yet count too: their giver's process stands in them.
  const held = table.allocations.filter((row) => !isDead(world, row));
  for (const [index, row] of held.entries())
    for (const other of held.slice(index + 1)) {
      const both = paths.writes(effectiveScope(table, row));
      if ((both & paths.writes(effectiveScope(table, other))) !== 0)
        problems.push(`${row.pod} and ${other.pod} may write the same path`);
    }
  problems.push(...leaks(world));
  return problems;
}

/** Everything that was wrong about a step: refusals because of one's own, more or less than was given, old epochs. */
export function stepProblems(
  before: World,
  step: Step,
  outcome: Outcome,
  scene: { readonly family: Family; readonly paths: PaintedPaths },
): readonly string[] {
  const { world, refusal, asked } = outcome;
  const problems: string[] = [];
  if (step.kind === 'claim' || step.kind === 'return') {
    if (refusal !== null && asked !== null) {
      const table = withoutSpawns(world, step.pod);
      if (asked(table).ok) problems.push(`${step.pod} is locked out by its own child`);
    }
    if (refusal === null && step.kind === 'claim')
      problems.push(
        ...shortfall(world, step.pod, scene.family, scene.paths),
        ...leftAlone(world, step.pod),
      );
  }
  if (refusal === null && (step.kind === 'delegate' || step.kind === 'return'))
    problems.push(...excess(world, step, scene.paths));
  problems.push(...holes(before.table, world.table));
  for (const pod of PODS) {
    const now = world.pods[pod].process;
    if (now === null || now.epoch === null || now.pid === before.pods[pod].process?.pid) continue;
    if (now.epoch <= before.pods[pod].epoch) problems.push(`${pod} has an epoch of old`);
  }
  return problems;
}

function isInRing(table: RegistryTable, row: Allocation): boolean {
  let steps = 0;
  for (let at: Allocation | undefined = row; at !== undefined; steps += 1) {
    if (steps > table.allocations.length) return true;
    at = at.delegatedFrom === null ? undefined : rowFor(table, at.delegatedFrom);
  }
  return false;
}

/** What outlives its holder: rows of the dead after a reclaim, rows at all once everybody gave theirs back. */
function leaks(world: World): string[] {
  const { table } = reclaim(world.table, (row) => isDead(world, row));
  const problems = table.allocations
    .filter((row) => isDead(world, row))
    .map((row) => `the row of ${row.pod} outlives it`);
  let rest = table;
  for (const { pod, epoch } of table.allocations) rest = release(rest, pod, epoch);
  if (rest.allocations.length > 0) problems.push('something is left when all is given back');
  return problems;
}

function withoutSpawns(world: World, pod: Pod): RegistryTable {
  return reclaim(world.table, (row) => isSpawnOf(world, row, pod)).table;
}

/** A claim that was granted gives the manifest's scope less what those whom this Pod spawned write. */
function shortfall(world: World, pod: Pod, family: Family, paths: PaintedPaths): string[] {
  const row = rowFor(world.table, pod);
  if (row === undefined) return [`${pod} was granted nothing`];
  let expected = paths.writes(family[pod]);
  for (const other of world.table.allocations)
    if (isSpawnOf(world, other, pod)) expected &= ~paths.writes({ allow: other.allow, deny: [] });
  const found = paths.writes(effectiveScope(world.table, row));
  return found === expected ? [] : [`${pod} was not granted its manifest's scope`];
}

/** Who came back holds again what its own hold, unless somebody else does. */
function leftAlone(world: World, pod: Pod): string[] {
  return world.table.allocations
    .filter((row) => row.delegatedFrom === null && isSpawnOf(world, row, pod))
    .map((row) => `${row.pod} is not handed back to ${pod}`);
}

/** Who hung on somebody, directly or not, that is still there hangs on somebody. */
function holes(before: RegistryTable, after: RegistryTable): string[] {
  const isStill = (row: Allocation): boolean => rowFor(after, row.pod)?.epoch === row.epoch;
  return before.allocations
    .filter((row) => isStill(row) && rowFor(after, row.pod)?.delegatedFrom === null)
    .filter((row) => holdersAbove(before, row).some(isStill))
    .map((row) => `${row.pod} fell out of its tree`);
}

function holdersAbove(table: RegistryTable, row: Allocation): Allocation[] {
  const above = row.delegatedFrom === null ? undefined : rowFor(table, row.delegatedFrom);
  return above === undefined ? [] : [above, ...holdersAbove(table, above)];
}

/** What a child got lies within what the Pod that it hangs on was given. */
function excess(world: World, step: Step, paths: PaintedPaths): string[] {
  const pod = step.kind === 'delegate' ? step.child : 'pod' in step ? step.pod : null;
  const row = pod === null ? undefined : rowFor(world.table, pod);
  const giver = rowFor(world.table, row?.delegatedFrom ?? '');
  if (row === undefined || giver === undefined) return [];
  const more = paths.writes(effectiveScope(world.table, row)) & ~paths.writes(giver);
  return more === 0 ? [] : [`${row.pod} got more than ${giver.pod} had`];
}
