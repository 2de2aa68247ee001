import { describe, expect, test } from 'vitest';
import {
  type OccupancyPoint,
  toOccupancySvg,
} from '../../../../../client/podctl/render/occupancy-svg.ts';

type Element = { readonly name: string; readonly attributes: Readonly<Record<string, string>> };

/** Its elements in order. Throws where a tag is not closed, or closed by another. */
function parse(svg: string): Element[] {
  const open: string[] = [];
  const elements: Element[] = [];
  for (const [, closes, name = '', attributes = '', isEmpty] of svg.matchAll(
    /<(\/?)([a-z]+)((?: [a-zA-Z0-9-]+="[^"<]*")*)(\/?)>/g,
  )) {
    if (closes === '/') expect(open.pop()).toBe(name);
    else {
      const pairs = [...attributes.matchAll(/ ([a-zA-Z0-9-]+)="([^"]*)"/g)];
      elements.push({
        name,
        attributes: Object.fromEntries(
          pairs.map(([, key = '', value = '']) => [key, value] as const),
        ),
      });
      if (isEmpty !== '/') open.push(name);
    }
  }
  expect(open).toEqual([]);
  // Nothing that looks like a tag was passed over.
  expect(elements.length).toBe([...svg.matchAll(/<[^/]/g)].length);
  return elements;
}

function lineOf(elements: readonly Element[]): number[][] {
  const line = elements.find(({ name }) => name === 'polyline');
  const points = line?.attributes['points'] ?? '';
  return points === '' ? [] : points.split(' ').map((point) => point.split(',').map(Number));
}

const marksOf = (elements: readonly Element[]): string[] =>
  elements.flatMap(({ attributes }) => attributes['data-mark'] ?? []);

const POINTS: OccupancyPoint[] = [
  { tokens: 1_000 },
  { tokens: 30_000 },
  { tokens: 20_000, mark: 'pruned' },
  { tokens: 31_200 },
  { tokens: 9_400, mark: 'compacted' },
  { tokens: 12_000 },
];

describe('toOccupancySvg', () => {
  test('CLI-2: has a point for each request, from left to right, and its marks where they belong', () => {
    const elements = parse(toOccupancySvg(POINTS, 40_000));
    const line = lineOf(elements);
    expect(line).toHaveLength(POINTS.length);
    for (const [index, [x = NaN, y = NaN]] of line.entries()) {
      const [xBefore = 0] = line[index - 1] ?? [];
      expect(x).toBeGreaterThan(xBefore);
      expect(x).toBeLessThanOrEqual(860);
      expect(y).toBeGreaterThan(60);
      expect(y).toBeLessThan(420);
    }
    expect(marksOf(elements)).toEqual(['pruned', 'compacted']);
    const places = elements
      .filter(({ attributes }) => 'data-mark' in attributes)
      .map(({ attributes }) => attributes['transform']);
    expect(places).toEqual(
      [2, 4].map((at) => `translate(${line[at]?.map((part) => part.toFixed(1)).join(' ') ?? ''})`),
    );
  });

  test('CLI-2: more tokens are higher, and the limit is where so many tokens would be', () => {
    const elements = parse(toOccupancySvg([{ tokens: 10 }, { tokens: 500 }, { tokens: 800 }], 500));
    const ys = lineOf(elements).map(([, y]) => y ?? NaN);
    const limit = elements.find(({ attributes }) => 'data-limit' in attributes)?.attributes;
    expect(ys[0]).toBeGreaterThan(ys[1] ?? NaN);
    expect(ys[1]).toBeGreaterThan(ys[2] ?? NaN);
    expect(Number(limit?.['y1'])).toBe(ys[1]);
    expect(limit?.['y2']).toBe(limit?.['y1']);
  });

  test('CLI-2: says on its axes and in its legend what it shows; a limit only where there is one', () => {
    const svg = toOccupancySvg(POINTS, 40_000);
    for (const says of ['request', 'tokens of the prompt', 'compacted', '10,000', '40,000'])
      expect(svg).toContain(`>${says}</text>`);
    expect(svg).toContain('window</text>');
    const without = toOccupancySvg(POINTS);
    expect(without).not.toContain('data-limit');
    expect(without).not.toContain('window</text>');
  });

  test('CLI-2: is sound without a request, with one, and with nothing but zeros', () => {
    for (const points of [[], [{ tokens: 5 }], [{ tokens: 0 }, { tokens: 0 }]]) {
      const svg = toOccupancySvg(points);
      expect(lineOf(parse(svg))).toHaveLength(points.length);
      expect(svg).not.toMatch(/NaN|Infinity/);
      expect(svg.includes('no request yet')).toBe(points.length === 0);
    }
  });

  test('CLI-2: a long session has few labels', () => {
    const points = Array.from({ length: 5_000 }, (_, index) => ({ tokens: 100 * (index + 1) }));
    const elements = parse(toOccupancySvg(points, 1_000_000));
    expect(lineOf(elements)).toHaveLength(5_000);
    expect(elements.filter(({ name }) => name === 'text').length).toBeLessThan(30);
  });
});
