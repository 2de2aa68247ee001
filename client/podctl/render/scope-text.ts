import type { Allocation, Liveness } from '../../../protocol/registry.ts';
import type { ScopeRule } from '../../../protocol/scope.ts';
import type { FoundRegistry } from '../../registry.ts';
import { describeDuration } from './status-text.ts';
import { showName, type Style } from './style.ts';

/** A row of the registry, what its holder gave away of it, and whether that holder lives. */
export type Owner = {
  readonly row: Allocation;
  readonly liveness: Liveness;
  /** How many holders are above it. */
  readonly depth: number;
  readonly delegated: readonly Delegated[];
};

/** A rule that another Pod writes by; this one may only read there as long as that one lives. */
export type Delegated = { readonly pod: string; readonly rule: ScopeRule };

/**
 * All rows, each after its holder. A row whose holder is not there is a root, and so is one of a ring: a damaged table
 * is shown like any other, and no row is left out.
 */
export function planOwners(
  rows: readonly Allocation[],
  livenessOf: (row: Allocation) => Liveness,
): Owner[] {
  const names = new Set(rows.map(({ pod }) => pod));
  const sorted = rows.toSorted((a, b) => (a.pod < b.pod ? -1 : 1));
  const below = new Map<string, Allocation[]>();
  for (const row of sorted) {
    if (row.delegatedFrom === null) continue;
    const siblings = below.get(row.delegatedFrom);
    if (siblings === undefined) below.set(row.delegatedFrom, [row]);
    else siblings.push(row);
  }
  const isRoot = ({ delegatedFrom }: Allocation): boolean =>
    delegatedFrom === null || !names.has(delegatedFrom);
  const owners = new Map<Allocation, Owner>();
  // A stack of our own: a chain may be as long as the table.
  const left = [...sorted.filter(isRoot), ...sorted].map((row) => ({ row, depth: 0 })).reverse();
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { row, depth } = next;
    if (owners.has(row)) continue;
    const children = below.get(row.pod) ?? [];
    const delegated = children.flatMap(({ pod, allow }) =>
      allow.filter(({ permission }) => permission === 'write').map((rule) => ({ pod, rule })),
    );
    owners.set(row, { row, liveness: livenessOf(row), depth, delegated });
    for (const child of children.toReversed()) left.push({ row: child, depth: depth + 1 });
  }
  return [...owners.values()];
}

export type ScopeView = {
  readonly registry: Pick<FoundRegistry, 'path' | 'moved'>;
  readonly owners: readonly Owner[];
  /** Unix time in milliseconds. */
  readonly now: number;
};

/** `podctl scope` for people; `--json` has all of it. */
export function renderScope({ registry, owners, now }: ScopeView, style: Style): string {
  const moved = registry.moved ? ' (moved there by PODD_SCOPE_REGISTRY)' : '';
  const place = `${showName(registry.path)}${moved}`;
  if (owners.length === 0) return `nobody owns anything: no Pod is in the registry ${place}\n`;
  const head = `${style.dim('registry')} ${place}`;
  const blocks = owners.map((owner) => renderOwner(owner, now, style));
  return `${[head, ...blocks].join('\n\n')}\n`;
}

/** A tree that is deeper goes on at this indent. */
const DEPTH_SHOWN = 8;

function renderOwner(
  { row, liveness, depth, delegated }: Owner,
  now: number,
  style: Style,
): string {
  const indent = '   '.repeat(Math.min(depth, DEPTH_SHOWN));
  const branch = depth === 0 ? '' : `${indent.slice(3)}└─ `;
  const head = `${branch}${style.bold(showName(row.pod))}  ${describeLife(liveness, style)}, pid ${row.pid}, epoch ${row.epoch}, podd ${showName(row.version)}${REMARK[liveness]}`;
  const details: [string, string][] = [
    ...row.allow.map((rule): [string, string] => ['may', describeRule(rule)]),
    ...row.deny.map((rule): [string, string] => ['may not', describeRule(rule)]),
    ...delegated.map(({ pod, rule }): [string, string] => [
      'gave away',
      `${describeRule(rule)} to ${showName(pod)}`,
    ]),
    ...describeOrigin(row),
    ['since', describeSince(row.claimedAt, now)],
    ['socket', showName(row.socket)],
  ];
  const lines = details.map(([name, value]) => `${indent}  ${style.dim(name.padEnd(10))} ${value}`);
  return [head, ...lines].join('\n');
}

/** What there is to say of an owner that is not simply live. */
const REMARK: Readonly<Record<Liveness, string>> = {
  live: '',
  dead: ' (the next podd that starts takes back what it owned)',
  unknown: ' (its process can’t be seen from here, so it keeps what it owns)',
};

function describeLife(liveness: Liveness, style: Style): string {
  const word = liveness === 'unknown' ? 'perhaps live' : liveness;
  return liveness === 'live' ? word : style.red(word);
}

function describeRule({ permission, target, recursive }: ScopeRule): string {
  const reach = recursive ? '' : ' (with its direct children only)';
  return `${permission} ${showName(target)}${reach}`;
}

/** Who spawned it is told where that is not who holds it now. */
function describeOrigin({ origin, delegatedFrom }: Allocation): [string, string][] {
  if (origin === null || origin.pod === delegatedFrom) return [];
  return [['spawned by', `${showName(origin.pod)}, which is gone`]];
}

function describeSince(claimedAt: number, now: number): string {
  const at = new Date(claimedAt);
  if (Number.isNaN(at.getTime())) return 'an unknown time';
  const [day = '', time = ''] = at.toISOString().split('T');
  return `${day} ${time.slice(0, 8)} UTC (${describeDuration(Math.max(0, now - claimedAt))})`;
}
