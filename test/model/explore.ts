import type { Allocation } from '../../protocol/registry.ts';
import { rowFor } from '../../daemon/core/scope-table.ts';
import { PaintedPaths, stepProblems, worldProblems } from './scope-invariants.ts';
import type { Family, Step, World } from './scope-world.ts';
import { FIRST_WORLD, PODS, possibleSteps, take } from './scope-world.ts';

export type Exploration = {
  readonly states: number;
  readonly transitions: number;
  /** The first of each kind, with the shortest way that leads to it. */
  readonly problems: readonly string[];
};

type Visited = { readonly world: World; readonly way: Way | null };
type Way = { readonly step: Step; readonly before: Way | null };

/** All interleavings of all steps, breadth first; worlds that differ in nothing that counts are one. */
export function explore(family: Family, depthMax: number): Exploration {
  const paths = new PaintedPaths(family);
  const seen = new Set([canonical(FIRST_WORLD)]);
  const problems = new Map<string, string>();
  let edge: Visited[] = [{ world: FIRST_WORLD, way: null }];
  let transitions = 0;
  for (let depth = 0; depth < depthMax; depth += 1) {
    const next: Visited[] = [];
    for (const { world, way } of edge)
      for (const step of possibleSteps(world)) {
        transitions += 1;
        const outcome = take(world, step, family);
        const after: Way = { step, before: way };
        const key = canonical(outcome.world);
        const isNew = !seen.has(key);
        const found = [
          ...stepProblems(world, step, outcome, { family, paths }),
          ...(isNew ? worldProblems(outcome.world, paths) : []),
        ];
        for (const problem of found)
          if (!problems.has(problem)) problems.set(problem, `${problem}: ${told(after)}`);
        if (!isNew) continue;
        seen.add(key);
        if (found.length === 0) next.push({ world: outcome.world, way: after });
      }
    edge = next;
  }
  return { states: seen.size, transitions, problems: [...problems.values()] };
}

/** Epochs count by their order, a pid by whose it is; where a row stands in the table does not count. */
function canonical(world: World): string {
  const epochs = new Set([0, world.table.epoch]);
  for (const { epoch } of world.table.allocations) epochs.add(epoch);
  for (const pod of PODS) epochs.add(world.pods[pod].epoch);
  const ranks = new Map([...epochs].sort((a, b) => a - b).map((epoch, rank) => [epoch, rank]));
  const holders = new Map(PODS.map((pod) => [world.pods[pod].process?.pid, pod]));
  const rowKey = (row: Allocation): unknown[] => [
    row.pod,
    holders.get(row.pid),
    shape(row),
    row.delegatedFrom,
    ranks.get(row.epoch),
  ];
  const pods = PODS.map((pod) => {
    const { process, was, epoch } = world.pods[pod];
    const lease = process === null ? 'dead' : process.epoch === null ? 'none' : 'held';
    const spawners = rowFor(world.table, pod) === undefined ? [] : world.spawners[pod];
    return [lease, was === null ? [] : [shape(was.row), was.spawners], ranks.get(epoch), spawners];
  });
  const rows = world.table.allocations.map(rowKey).sort();
  return JSON.stringify([rows, pods, ranks.get(world.table.epoch)]);
}

function shape({
  allow,
  deny,
  origin,
  ancestors,
}: Pick<Allocation, 'allow' | 'deny' | 'origin' | 'ancestors'>): unknown[] {
  const rules = [...allow, '', ...deny].map((rule) =>
    typeof rule === 'string'
      ? rule
      : `${rule.target}${rule.permission}${rule.recursive ? '' : '1'}`,
  );
  return [rules.join(), origin?.pod, ancestors.map((one) => one.pod).join()];
}

function told(way: Way): string {
  const steps: string[] = [];
  for (let at: Way | null = way; at !== null; at = at.before) steps.unshift(stepText(at.step));
  return steps.join(', ');
}

function stepText(step: Step): string {
  if (step.kind === 'delegate') return `${step.pod} delegates to ${step.child}`;
  return 'pod' in step ? `${step.kind} ${step.pod}` : step.kind;
}
