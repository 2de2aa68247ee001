import type { Row } from './figure.ts';
import { sayMachine, sayValue } from './table.ts';
import type { Machine } from './machine.ts';

const WIDTH = 860;
const LABELS = 350;
const ROW = 34;
const TOP = 64;
const BOTTOM = 34;
/** Room for what a bar's end says. */
const ENDS = 150;

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/** An SVG: for each figure with a target a bar, as long as it is of that target. */
export function drawChart(rows: readonly Row[], machine: Machine): string {
  const bars = rows.flatMap((row) => {
    const { target, measure, unit } = row.figure;
    // Nothing is as long as a part of nothing.
    if (target === null || target === 0) return [];
    const bound = measure === 'ratio' ? '×' : ` ${unit}`;
    const says = `${sayValue(row.figure, row.value)}${bound} of ${target}${bound}`;
    return [{ row, says, part: row.value / target }];
  });
  const height = TOP + bars.length * ROW + BOTTOM;
  const longest = Math.max(1.25, ...bars.map(({ part }) => part));
  const scale = (WIDTH - LABELS - ENDS) / longest;
  const line = (LABELS + scale).toFixed(1);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="13">`,
    `<title>podd against its targets</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    `<text x="16" y="26" font-size="16" font-weight="bold" fill="#1f2328">podd against its targets: shorter is better, the line is the target</text>`,
    `<text x="16" y="46" font-size="11" fill="#59636e">${escape(sayMachine(machine))}</text>`,
    ...bars.flatMap(({ row, says, part }, index) => {
      const y = TOP + index * ROW;
      const length = (part * scale).toFixed(1);
      const color = row.reached === true ? '#1a7f37' : '#bc4c00';
      const { id, what } = row.figure;
      return [
        `<text x="16" y="${y + 20}" fill="#1f2328">${escape(`${id}  ${what}`)}</text>`,
        `<rect x="${LABELS}" y="${y + 6}" width="${length}" height="${ROW - 14}" fill="${color}"/>`,
        `<text x="${(LABELS + part * scale + 8).toFixed(1)}" y="${y + 20}" fill="#1f2328">${escape(says)}</text>`,
      ];
    }),
    `<line x1="${line}" y1="${TOP - 4}" x2="${line}" y2="${height - BOTTOM + 4}" stroke="#1f2328" stroke-width="1.5" stroke-dasharray="4 3"/>`,
    `<text x="${line}" y="${height - 12}" font-size="11" text-anchor="middle" fill="#59636e">target</text>`,
    '</svg>',
    '',
  ].join('\n');
}

function escape(text: string): string {
  return text.replace(/[&<>]/g, (sign) => escapes[sign] ?? sign);
}
