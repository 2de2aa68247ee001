import { showCount, showDollars, showPart, showTime } from './numbers.ts';
import type { UsageRecord } from './occupancy-points.ts';
import type { Style } from './style.ts';

const HEAD = ['TIME (UTC)', 'KIND', 'ITEMS', 'INPUT', 'CACHED', 'WRITTEN', 'OUTPUT', 'COST'];
/** Columns of words; those of numbers stand at their right. */
const WORDS = 2;
const GAP = '  ';

type Sums = Pick<UsageRecord, 'inputTotal' | 'cacheRead' | 'cacheWrite' | 'output'>;

/** `podctl usage` for people: a line for each request, and one of all together. */
export function renderUsage(records: readonly UsageRecord[], style: Style): string {
  const rows = records.map((record) => [
    showTime(record.at),
    record.kind,
    showCount(record.historyLen),
    ...showTokens(record),
    record.costUsd === undefined ? '-' : showDollars(record.costUsd),
  ]);
  const count = `${showCount(records.length)} ${records.length === 1 ? 'request' : 'requests'}`;
  const total = [count, '', '', ...showTokens(sum(records)), sumCost(records)];
  const widths = HEAD.map((_, at) =>
    [HEAD, ...rows, total].reduce((max, row) => Math.max(max, row[at]?.length ?? 0), 0),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, at) => {
        const width = widths[at] ?? 0;
        return at < WORDS ? cell.padEnd(width) : cell.padStart(width);
      })
      .join(GAP);
  const lines = rows.map((row) => style.clean(line(row)));
  return `${[style.dim(line(HEAD)), ...lines, style.bold(line(total))].join('\n')}\n`;
}

function showTokens({ inputTotal, cacheRead, cacheWrite, output }: Sums): string[] {
  return [
    showCount(inputTotal),
    `${showCount(cacheRead)} (${showPart(cacheRead, inputTotal)})`,
    showCount(cacheWrite),
    showCount(output),
  ];
}

function sum(records: readonly UsageRecord[]): Sums {
  const sums = { inputTotal: 0, cacheRead: 0, cacheWrite: 0, output: 0 };
  for (const record of records) {
    sums.inputTotal += record.inputTotal;
    sums.cacheRead += record.cacheRead;
    sums.cacheWrite += record.cacheWrite;
    sums.output += record.output;
  }
  return sums;
}

/** Where the price of some is not known, it was no less than this. */
function sumCost(records: readonly UsageRecord[]): string {
  const known = records.flatMap(({ costUsd }) => (costUsd === undefined ? [] : [costUsd]));
  if (known.length === 0) return '-';
  const dollars = showDollars(known.reduce((total, cost) => total + cost, 0));
  return known.length === records.length ? dollars : `≥${dollars}`;
}
