import type { Allocation, PodOrigin } from '../../protocol/registry.ts';

/**
 * Who spawned whom, as rows remember it: a Pod is meant by its name and its store, so that one which comes back is
 * known again and another of the same name is not.
 */
export type Lineage = Pick<Allocation, 'origin' | 'ancestors'>;

/** Its spawner, the spawner's spawner, and so on; empty for a root. */
export function lineageOf({ origin, ancestors }: Lineage): readonly PodOrigin[] {
  return origin === null ? [] : [origin, ...ancestors];
}

/** `pod`, or one that it spawned, spawned the row. */
export function isSpawnOf(row: Lineage, pod: PodOrigin): boolean {
  return lineageOf(row).some((one) => isSamePod(one, pod));
}

/** `pod` spawned the row, and stands nearer to it than whoever holds it. */
export function isNearerAncestor(row: Lineage, pod: PodOrigin, holder: string | null): boolean {
  const lineage = lineageOf(row);
  const at = lineage.findIndex((one) => isSamePod(one, pod));
  const holderAt = lineage.findIndex((one) => one.pod === holder);
  return at >= 0 && (holderAt === -1 || at < holderAt);
}

/** The lineage of a child that `giver` spawns. No Pod is its own ancestor, also if it was its spawner's once. */
export function lineageOfChild(child: PodOrigin, giver: PodOrigin & Lineage): Lineage {
  return toLineage([originOf(giver), ...lineageOf(giver)], child);
}

/**
 * The lineage of a child that comes back below `giver`, one of its ancestors: whoever is above that one now is above
 * the child too, even if it was not when the child was spawned.
 */
export function lineageOfReturned(
  child: PodOrigin,
  was: Lineage,
  giver: PodOrigin & Lineage,
): Lineage {
  const lineage = lineageOf(was);
  const end = lineage.findIndex((one) => isSamePod(one, giver)) + 1;
  const above = lineageOf(giver);
  const rest = lineage.slice(end).filter((one) => !above.some((known) => isSamePod(one, known)));
  return toLineage([...lineage.slice(0, end), ...above, ...rest], child);
}

/** The nearest of the row's ancestors that `rows` still has and `mayHold` admits. */
export function nearestAncestor(
  rows: readonly Allocation[],
  below: Lineage,
  mayHold: (row: Allocation) => boolean,
): Allocation | undefined {
  return lineageOf(below)
    .map((one) => rows.find((row) => isSamePod(row, one) && mayHold(row)))
    .find((row) => row !== undefined);
}

function toLineage(lineage: readonly PodOrigin[], self: PodOrigin): Lineage {
  const [origin = null, ...ancestors] = lineage.filter((one) => !isSamePod(one, self));
  return { origin, ancestors };
}

function originOf({ pod, store }: PodOrigin): PodOrigin {
  return { pod, store };
}

function isSamePod(a: PodOrigin, b: PodOrigin): boolean {
  return a.pod === b.pod && a.store === b.store;
}
