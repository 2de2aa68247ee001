import type { Allocation, RegistryTable } from '../../protocol/registry.ts';
import type { ScopeRule, ScopeRules } from '../../protocol/scope.ts';
import type { Result } from '../../daemon/core/result.ts';
import type { Changed, Claimant, Return, TableRefusal } from '../../daemon/core/scope-table.ts';
import {
  adopt,
  claim,
  claimAgain,
  delegate,
  EMPTY_TABLE,
  raiseEpoch,
  rebuild,
  reclaim,
  release,
  rowFor,
} from '../../daemon/core/scope-table.ts';

/**
 * Three Pods and the registry between them, as data. A step is what the daemon does in one critical section, the
 * dead reclaimed first, or what happens to a process or to the table's file.
 */
export const PODS = ['A', 'B', 'C'] as const;
export type Pod = (typeof PODS)[number];

/** The scope that each Pod's manifest asks for. */
export type Family = Readonly<Record<Pod, ScopeRules>>;

type PodFacts = {
  /** Its process, as long as it lives, and the epoch of the lease that this believes to hold. */
  readonly process: { readonly pid: number; readonly epoch: number | null } | null;
  /** What its store knows of the row that it adopted last, and who spawned it then. */
  readonly was: { readonly row: Return['was']; readonly spawners: readonly Pod[] } | null;
  /** The largest epoch in its store. */
  readonly epoch: number;
};

export type World = {
  readonly table: RegistryTable;
  readonly pods: Readonly<Record<Pod, PodFacts>>;
  /** The truth about who spawned whom, and who spawned those, kept apart from what the rows say. */
  readonly spawners: Readonly<Record<Pod, readonly Pod[]>>;
  readonly pidsUsed: number;
};

export type Step =
  | { readonly kind: 'claim' | 'adopt' | 'return' | 'release' | 'crash'; readonly pod: Pod }
  | { readonly kind: 'delegate'; readonly pod: Pod; readonly child: Pod }
  | { readonly kind: 'reclaim' | 'registryLost' };

/** Where a step leads. `refusal` is what the registry answered; `asked` asks another table the same. */
export type Outcome = {
  readonly world: World;
  readonly refusal: TableRefusal | null;
  readonly asked: ((table: RegistryTable) => Result<Changed, TableRefusal>) | null;
};

const ASLEEP: PodFacts = { process: null, was: null, epoch: 0 };

export const FIRST_WORLD: World = {
  table: EMPTY_TABLE,
  pods: { A: ASLEEP, B: ASLEEP, C: ASLEEP },
  spawners: { A: [], B: [], C: [] },
  pidsUsed: 0,
};

/** Every step that may come next, those which the registry refuses among them. */
export function possibleSteps(world: World): readonly Step[] {
  const steps: Step[] = [{ kind: 'registryLost' }];
  if (world.table.allocations.some((row) => isDead(world, row))) steps.push({ kind: 'reclaim' });
  for (const pod of PODS) {
    const { process, was } = world.pods[pod];
    if (process === null) {
      steps.push({ kind: 'claim', pod }, { kind: 'adopt', pod });
      if (was !== null) steps.push({ kind: 'return', pod });
      continue;
    }
    steps.push({ kind: 'crash', pod });
    if (process.epoch === null) continue;
    steps.push({ kind: 'release', pod });
    for (const child of PODS)
      if (world.pods[child].process === null) steps.push({ kind: 'delegate', pod, child });
  }
  return steps;
}

export function take(world: World, step: Step, family: Family): Outcome {
  switch (step.kind) {
    case 'claim':
      return enter(world, step.pod, (table, who) => claim(table, who, family[step.pod]));
    case 'adopt':
      return enter(world, step.pod, adopt);
    case 'return': {
      const { was } = world.pods[step.pod];
      if (was === null) return { world, refusal: null, asked: null };
      return enter(
        world,
        step.pod,
        (table, child) => claimAgain(table, { child, was: was.row }),
        was.spawners,
      );
    }
    case 'delegate':
      return spawn(world, step.pod, step.child, family);
    case 'release':
      return plain(leave(world, step.pod));
    case 'crash':
      return plain(withPod(world, step.pod, { process: null }));
    case 'reclaim':
      return plain({ ...world, table: living(world) });
    case 'registryLost': {
      // The hardest case: nobody remembers a larger epoch than the rows have.
      const rows = world.table.allocations.filter((row) => !isDead(world, row));
      return plain({ ...world, table: rebuild(rows, 0) });
    }
  }
}

export function isDead(world: World, { pid }: Allocation): boolean {
  return !PODS.some((pod) => world.pods[pod].process?.pid === pid);
}

/** The rows of those whom `pod`, or one that it spawned, spawned. */
export function isSpawnOf(world: World, row: Allocation, pod: Pod): boolean {
  return row.pod !== pod && world.spawners[row.pod as Pod].includes(pod);
}

function plain(world: World): Outcome {
  return { world, refusal: null, asked: null };
}

function living(world: World): RegistryTable {
  return reclaim(world.table, (row) => isDead(world, row)).table;
}

/** A new process asks for its Pod's lease; refused, it ends. */
function enter(
  world: World,
  pod: Pod,
  ask: (table: RegistryTable, who: Claimant) => Result<Changed, TableRefusal>,
  spawnedBy = world.spawners[pod],
): Outcome {
  const pid = world.pidsUsed + 1;
  const who = claimant(pod, pid);
  const table = living(world);
  const asked = (other: RegistryTable): Result<Changed, TableRefusal> => ask(other, who);
  const answer = asked(table);
  if (!answer.ok) return { world: { ...world, table }, refusal: answer.error, asked };
  const { row, table: next } = raised(answer.value, world.pods[pod].epoch);
  const isRoot = row.origin === null;
  const spawners = isRoot ? [] : joined(world, row, spawnedBy);
  const entered: World = {
    ...world,
    table: next,
    spawners: { ...world.spawners, [pod]: spawners },
    pidsUsed: pid,
  };
  const was = isRoot ? null : { row, spawners };
  const process = { pid, epoch: row.epoch };
  return { world: withPod(entered, pod, { process, was, epoch: row.epoch }), refusal: null, asked };
}

/** Whoever spawned the Pod that it hangs on has spawned it too. */
function joined(world: World, row: Allocation, spawnedBy: readonly Pod[]): readonly Pod[] {
  const above = PODS.filter((pod) => pod === row.delegatedFrom);
  const all = new Set([...spawnedBy, ...above, ...above.flatMap((pod) => world.spawners[pod])]);
  return PODS.filter((pod) => pod !== row.pod && all.has(pod));
}

/** What the daemon does before its socket opens: no epoch of its store comes again. */
function raised(changed: Changed, above: number): Changed {
  if (changed.row.epoch > above) return changed;
  const answer = raiseEpoch(changed.table, changed.row, above);
  return answer.ok ? answer.value : changed;
}

function spawn(world: World, pod: Pod, child: Pod, family: Family): Outcome {
  const table = living(world);
  const giver = rowFor(table, pod);
  const rules = giver === undefined ? [] : partFor(giver, family[child]);
  const asked = (other: RegistryTable): Result<Changed, TableRefusal> =>
    delegate(other, { spawner: pod, child: claimant(child, 0), rules });
  const answer = asked(table);
  if (!answer.ok) return { world: { ...world, table }, refusal: answer.error, asked };
  const above = new Set([pod, ...world.spawners[pod]]);
  const spawners = {
    ...world.spawners,
    [child]: PODS.filter((one) => one !== child && above.has(one)),
  };
  return { world: { ...world, table: answer.value.table, spawners }, refusal: null, asked };
}

/** What the child's manifest asks for if the giver has it; else all that the giver has. */
function partFor(giver: Allocation, wanted: ScopeRules): readonly ScopeRule[] {
  const isGivers = ({ target }: ScopeRule): boolean =>
    giver.allow.some((outer) => `${target}/`.startsWith(`${outer.target}/`));
  return wanted.allow.every(isGivers) ? wanted.allow : giver.allow;
}

function leave(world: World, pod: Pod): World {
  const { process } = world.pods[pod];
  if (process?.epoch == null) return world;
  const table = release(living(world), pod, process.epoch);
  return withPod({ ...world, table }, pod, { process: { ...process, epoch: null } });
}

function withPod(world: World, pod: Pod, facts: Partial<PodFacts>): World {
  return { ...world, pods: { ...world.pods, [pod]: { ...world.pods[pod], ...facts } } };
}

function claimant(pod: Pod, pid: number): Claimant {
  const identity = { pid, startedAt: pid, bootId: 'boot', pidNamespace: 'pid:[1]' };
  return { ...identity, pod, store: `/s/${pod}`, socket: `/r/${pod}`, at: 0, version: '1' };
}
