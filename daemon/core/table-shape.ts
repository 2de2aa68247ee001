import type { RegistryTable } from '../../protocol/registry.ts';

/**
 * What no schema sees: two rows of one name, or rows that hang on each other in a ring. A table with either was not
 * written by podd, and counts as damaged. Null if there is nothing wrong.
 */
export function tableProblem({ allocations }: RegistryTable): string | null {
  const above = new Map(allocations.map(({ pod, delegatedFrom }) => [pod, delegatedFrom]));
  if (above.size < allocations.length) return 'two rows have one name';
  // Each row is walked once: what leads to a known row is known.
  const rooted = new Set<string>();
  for (const { pod } of allocations) {
    const walked = new Set<string>();
    let at: string | null = pod;
    while (at !== null && !rooted.has(at)) {
      if (walked.has(at)) return 'its delegations form a ring';
      walked.add(at);
      at = above.get(at) ?? null;
    }
    for (const one of walked) rooted.add(one);
  }
  return null;
}
