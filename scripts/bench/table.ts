import type { Figure, Row } from './figure.ts';
import type { Machine } from './machine.ts';

const HEADINGS = ['id', 'what', 'baseline', 'podd', 'worst', 'target', 'reached'] as const;

const DIGITS = { ms: 2, MB: 1, tokens: 0, '%': 2 } as const;

/** What is held against the target. Costs in tokens are counted, not timed: the third digit of their ratio says something. */
export function sayValue({ measure, unit }: Figure, value: number): string {
  if (measure === 'value') return value.toFixed(unit === 'MB' ? 1 : DIGITS[unit]);
  return value.toFixed(unit === 'tokens' ? 3 : 2);
}

/** A row in words. */
function cells({ figure, worst, value, reached }: Row): string[] {
  const { id, what, unit, measure, target } = figure;
  const bound = measure === 'ratio' ? '×' : ` ${unit}`;
  const digits = DIGITS[unit];
  return [
    id,
    what,
    worst.baseline === null ? '–' : `${worst.baseline.toFixed(digits)} ${unit}`,
    `${worst.podd.toFixed(digits)} ${unit}`,
    `${sayValue(figure, value)}${bound}`,
    target === null ? '–' : `≤ ${target}${bound}`,
    reached === null ? '–' : reached ? 'yes' : 'no',
  ];
}

/** For a terminal: columns stand below each other. */
export function toText(rows: readonly Row[]): string {
  const all: readonly (readonly string[])[] = [HEADINGS, ...rows.map(cells)];
  const widths = HEADINGS.map((_, column) =>
    Math.max(...all.map((line) => line[column]?.length ?? 0)),
  );
  return all
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

export function toMarkdown(rows: readonly Row[], machine: Machine, rounds: number): string {
  const line = (parts: readonly string[]): string => `| ${parts.join(' | ')} |`;
  return [
    line(HEADINGS),
    line(HEADINGS.map(() => '---')),
    ...rows.map((row) => line(cells(row))),
    '',
    `${sayReached(rows)} Worst of ${rounds} rounds; ${sayMachine(machine)}.`,
  ].join('\n');
}

function sayReached(rows: readonly Row[]): string {
  const missed = rows.filter(({ reached }) => reached === false);
  if (missed.length === 0) return 'Every target is reached.';
  const ids = [...new Set(missed.map(({ figure }) => figure.id))];
  const all = rows.filter(({ reached }) => reached !== null).length;
  return `${missed.length} of ${all} targets are not reached (${ids.join(', ')}).`;
}

export function sayMachine({ cpu, cores, memoryGB, kernel, node, date, commit }: Machine): string {
  const of = commit === null ? '' : `, commit ${commit}`;
  return `${date.slice(0, 10)}${of}; ${cores} cores (${cpu}), ${memoryGB} GB, Linux ${kernel}, Node ${node}`;
}
