import type { ScopeRule } from '../../../protocol/scope.ts';
import { describeDuration } from './status-text.ts';
import { showName, type Style } from './style.ts';

/** One line of `podctl ls`. What only the Pod itself can tell is null when it does not answer. */
export type ListedPod = {
  readonly pod: string;
  /** The Pod's own word, or `unreachable`, `not asked` or `dead`. */
  readonly state: string;
  readonly turns: number | null;
  readonly occupancy: { readonly tokens: number; readonly limit?: number | undefined } | null;
  readonly allow: readonly ScopeRule[];
  readonly ageMs: number | null;
};

const HEAD = ['POD', 'STATE', 'TURNS', 'OCCUPANCY', 'SCOPE', 'AGE'] as const;
const SCOPE_AT = 4;
const GAP = '  ';
/** A scope is not cut to less than this, however narrow the terminal. */
const SCOPE_MIN = 16;
const STATE_MAX = 32;
/** A cell that is wider stands out alone: every line would grow with it. */
const COLUMN_MAX = 200;

/** A table as wide as what is in it; where `columns` is known, the scopes are cut so that it fits. */
export function renderPodTable(
  pods: readonly ListedPod[],
  style: Style,
  columns: number | null,
): string {
  const scopes = pods.map(({ allow }) => describeScope(allow));
  const cells = pods.map((pod, i) => [...toCells(pod), scopes[i]?.full ?? '', describeAge(pod)]);
  const natural = widthsOf([HEAD, ...cells]);
  const others = natural.reduce((sum, width, i) => sum + (i === SCOPE_AT ? 0 : width), 0);
  const room = columns === null ? Infinity : columns - others - GAP.length * (HEAD.length - 1);
  const scopeMax = Math.max(SCOPE_MIN, room);
  const rows = cells.map((row, i) =>
    row.map((cell, at) => (at === SCOPE_AT ? (scopes[i]?.cut(scopeMax) ?? cell) : cell)),
  );
  const widths = widthsOf([HEAD, ...rows]);
  const lines = rows.map((row, i) => {
    const isAbsent = pods[i]?.turns === null;
    return renderLine(row, widths, (cell, at) => {
      if (at === 0) return style.bold(cell);
      return at === 1 && isAbsent ? style.red(cell) : cell;
    });
  });
  const head = renderLine(HEAD, widths, (cell) => style.dim(cell));
  return `${[head, ...lines].join('\n')}\n`;
}

function toCells({ pod, state, turns, occupancy }: ListedPod): string[] {
  return [
    showName(pod),
    cutEnd(showName(state), STATE_MAX),
    turns === null ? '-' : String(turns),
    occupancy === null ? '-' : describeOccupancy(occupancy),
  ];
}

function describeOccupancy({ tokens, limit }: NonNullable<ListedPod['occupancy']>): string {
  if (limit === undefined || limit <= 0) return String(tokens);
  return `${tokens} (${Math.round((tokens / limit) * 100)}%)`;
}

function describeAge({ ageMs }: ListedPod): string {
  return ageMs === null ? '-' : describeDuration(Math.max(0, ageMs));
}

type ScopeCell = { readonly full: string; readonly cut: (widthMax: number) => string };

/** The first target that may be written, and how many more there are. */
function describeScope(allow: readonly ScopeRule[]): ScopeCell {
  const writes = allow.filter(({ permission }) => permission === 'write');
  const [first, ...more] = writes.length > 0 ? writes : allow;
  if (first === undefined) return { full: '-', cut: () => '-' };
  const target = showName(first.target);
  const rest = (writes.length > 0 ? '' : ' (read)') + (more.length === 0 ? '' : ` +${more.length}`);
  return {
    full: `${target}${rest}`,
    cut: (widthMax) => `${cutEnd(target, widthMax - rest.length)}${rest}`,
  };
}

function cutEnd(text: string, widthMax: number): string {
  if (widthOf(text) <= widthMax) return text;
  const kept = Math.max(1, widthMax - 1);
  // A character has two units at most.
  return `${Array.from(text.slice(0, 2 * kept))
    .slice(0, kept)
    .join('')}…`;
}

function widthsOf(rows: readonly (readonly string[])[]): number[] {
  return HEAD.map((_, at) =>
    Math.min(
      COLUMN_MAX,
      rows.reduce((max, row) => Math.max(max, widthOf(row[at] ?? '')), 0),
    ),
  );
}

function widthOf(cell: string): number {
  return cell.length - (cell.match(/[\ud800-\udbff][\udc00-\udfff]/g)?.length ?? 0);
}

function renderLine(
  row: readonly string[],
  widths: readonly number[],
  paint: (cell: string, at: number) => string,
): string {
  const last = row.length - 1;
  return row
    .map((cell, at) => {
      // Nothing is after the last one, and spaces there would wrap a line.
      const padding = at === last ? '' : ' '.repeat(Math.max(0, (widths[at] ?? 0) - widthOf(cell)));
      return `${paint(cell, at)}${padding}`;
    })
    .join(GAP);
}
