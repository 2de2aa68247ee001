import { showCount } from './numbers.ts';

/** One request of a session. `mark`: what made it smaller than the one before. */
export type OccupancyPoint = {
  readonly tokens: number;
  readonly mark?: 'pruned' | 'compacted';
};

const WIDTH = 860;
const HEIGHT = 420;
const LEFT = 84;
const RIGHT = 24;
const TOP = 76;
const BOTTOM = 52;
const TICKS = 6;

const INK = '#1f2328';
const FAINT = '#59636e';
const GRID = '#d1d9e0';
const LINE = '#0969da';
const MARKS = {
  pruned: { colour: '#bc4c00', says: 'older results left out' },
  compacted: { colour: '#1a7f37', says: 'compacted' },
} as const;

type Scale = {
  readonly x: (request: number) => string;
  readonly y: (tokens: number) => string;
};

/** An SVG: tokens of each request's prompt, by its number. On white, which can be read on any page. */
export function toOccupancySvg(points: readonly OccupancyPoint[], limit?: number): string {
  const most = points.reduce((max, { tokens }) => Math.max(max, tokens), limit ?? 0);
  const step = niceStep(most / TICKS);
  const top = Math.max(step, Math.ceil(most / step) * step);
  const last = Math.max(2, points.length);
  const scale: Scale = {
    x: (request) => (LEFT + ((request - 1) / (last - 1)) * (WIDTH - LEFT - RIGHT)).toFixed(1),
    y: (tokens) => (HEIGHT - BOTTOM - (tokens / top) * (HEIGHT - TOP - BOTTOM)).toFixed(1),
  };
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="12">`,
    '<title>occupancy of the model’s window, by request</title>',
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    `<text x="16" y="26" font-size="16" font-weight="bold" fill="${INK}">Tokens of each request’s prompt</text>`,
    ...drawLegend(limit !== undefined),
    ...ticksUpTo(top, step).flatMap((tokens) => drawTokens(tokens, scale)),
    ...ticksUpTo(points.length, Math.max(1, niceStep(points.length / 10))).flatMap((request) =>
      request === 0 ? [] : [drawRequest(request, scale)],
    ),
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 10}" text-anchor="middle" fill="${FAINT}">request</text>`,
    ...(limit === undefined ? [] : [drawLimit(limit, scale)]),
    ...drawPoints(points, scale),
    '</svg>',
    '',
  ].join('\n');
}

function drawPoints(points: readonly OccupancyPoint[], { x, y }: Scale): string[] {
  const newest = points.at(-1);
  if (newest === undefined)
    return [`<text x="${LEFT + 12}" y="${TOP + 24}" fill="${FAINT}">no request yet</text>`];
  const line = points.map(({ tokens }, index) => `${x(index + 1)},${y(tokens)}`).join(' ');
  return [
    `<polyline points="${line}" fill="none" stroke="${LINE}" stroke-width="2" stroke-linejoin="round"/>`,
    // A line of one point can't be seen.
    `<circle cx="${x(points.length)}" cy="${y(newest.tokens)}" r="3" fill="${LINE}"/>`,
    ...points.flatMap(({ tokens, mark }, index) => {
      if (mark === undefined) return [];
      const title = `request ${showCount(index + 1)}: ${MARKS[mark].says}, ${showCount(tokens)} tokens`;
      return [drawMark(mark, { x: x(index + 1), y: y(tokens) }, title)];
    }),
  ];
}

type Place = { readonly x: string; readonly y: string };

/** Told apart by their shapes too: a triangle that points down, and a square. Those of the legend have no title. */
function drawMark(mark: keyof typeof MARKS, { x, y }: Place, title?: string): string {
  const shape = mark === 'pruned' ? 'M-6,-5 L6,-5 L0,6 Z' : 'M-5,-5 H5 V5 H-5 Z';
  const kind = title === undefined ? '' : ` data-mark="${mark}"`;
  const tip = title === undefined ? '' : `<title>${title}</title>`;
  return `<path${kind} d="${shape}" transform="translate(${x} ${y})" fill="${MARKS[mark].colour}" stroke="#ffffff">${tip}</path>`;
}

function drawLegend(hasLimit: boolean): string[] {
  const y = 52;
  const text = (x: number, says: string): string =>
    `<text x="${x}" y="${y}" fill="${INK}">${says}</text>`;
  return [
    `<line x1="16" y1="${y - 4}" x2="40" y2="${y - 4}" stroke="${LINE}" stroke-width="2"/>`,
    text(48, 'tokens of the prompt'),
    drawMark('compacted', { x: '200', y: String(y - 4) }),
    text(212, MARKS.compacted.says),
    drawMark('pruned', { x: '304', y: String(y - 4) }),
    text(316, MARKS.pruned.says),
    ...(hasLimit
      ? [
          `<line x1="460" y1="${y - 4}" x2="484" y2="${y - 4}" stroke="${INK}" stroke-width="1.5" stroke-dasharray="4 3"/>`,
          text(492, 'the model’s window'),
        ]
      : []),
  ];
}

function drawTokens(tokens: number, { y }: Scale): string[] {
  const at = y(tokens);
  return [
    `<line x1="${LEFT}" y1="${at}" x2="${WIDTH - RIGHT}" y2="${at}" stroke="${GRID}"/>`,
    `<text x="${LEFT - 8}" y="${(Number(at) + 4).toFixed(1)}" text-anchor="end" fill="${FAINT}">${showCount(tokens)}</text>`,
  ];
}

function drawRequest(request: number, { x }: Scale): string {
  return `<text x="${x(request)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle" fill="${FAINT}">${showCount(request)}</text>`;
}

function drawLimit(limit: number, { y }: Scale): string {
  return `<line data-limit="${limit}" x1="${LEFT}" y1="${y(limit)}" x2="${WIDTH - RIGHT}" y2="${y(limit)}" stroke="${INK}" stroke-width="1.5" stroke-dasharray="4 3"/>`;
}

function ticksUpTo(end: number, step: number): number[] {
  return Array.from({ length: Math.floor(end / step) + 1 }, (_, index) => index * step);
}

/** The next of 1, 2, 5, 10, 20, … that is no less. */
function niceStep(least: number): number {
  if (least <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(least));
  return ([1, 2, 5].find((digit) => digit * power >= least) ?? 10) * power;
}
