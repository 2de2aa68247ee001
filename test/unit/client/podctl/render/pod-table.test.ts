import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ListedPod, renderPodTable } from '../../../../../client/podctl/render/pod-table.ts';
import { styleFor } from '../../../../../client/podctl/render/style.ts';
import { FakeShell } from '../../../../support/fake-shell.ts';
import { mayRead, mayWrite } from '../../../../support/registry-table.ts';

const IDLE: ListedPod = {
  pod: 'coder',
  state: 'idle',
  turns: 12,
  occupancy: { tokens: 900, limit: 1000 },
  allow: [mayRead('/docs'), mayWrite('/w/coder'), mayWrite('/tmp/a'), mayWrite('/tmp/b')],
  ageMs: 3_660_000,
};
const PLAIN = styleFor(new FakeShell().shell.out, {});

function lines(pods: readonly ListedPod[], columns: number | null = null): string[] {
  return renderPodTable(pods, PLAIN, columns).trimEnd().split('\n');
}

describe('renderPodTable', () => {
  test('CLI-2: a Pod a line: state, turns, occupancy, scope and age, in columns as wide as they need', () => {
    const absent = { turns: null, occupancy: null, ageMs: null, allow: [mayRead('/docs')] };
    expect(
      lines([
        IDLE,
        { ...IDLE, pod: 'a', state: 'unreachable', ...absent },
        { ...IDLE, pod: 'b', allow: [], occupancy: { tokens: 70 }, turns: 0, ageMs: -5 },
      ]),
    ).toEqual([
      'POD    STATE        TURNS  OCCUPANCY  SCOPE         AGE',
      'coder  idle         12     900 (90%)  /w/coder +2   1 h 1 m',
      'a      unreachable  -      -          /docs (read)  -',
      'b      idle         0      70         -             0 s',
    ]);
  });

  test('CLI-2: a long scope is cut to the terminal, and how many more there are is not', () => {
    const long = { ...IDLE, allow: [mayWrite(`/w/${'x'.repeat(200)}`), mayWrite('/y')] };
    const [head = '', row = ''] = lines([long], 80);
    expect(row).toMatch(/ {2}\/w\/x+… \+1 {2}1 h 1 m$/);
    expect(Array.from(row)).toHaveLength(80);
    expect(head.indexOf('AGE')).toBe(row.indexOf('1 h 1 m'));
    expect(lines([long])[1]).toContain('x'.repeat(200));
    expect(lines([long], 10)[1]).toContain('/w/xxxxxxxxx… +1');
  });

  test('CLI-2: whatever the paths are, no line is wider than a terminal with room for the rest', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'binary', maxLength: 120 }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 70, max: 200 }),
        (targets, columns) => {
          const pods = targets.map((target) => ({ ...IDLE, allow: [mayWrite(`/${target}`)] }));
          const all = lines(pods, columns);
          expect(all).toHaveLength(targets.length + 1);
          for (const line of all) expect(Array.from(line).length).toBeLessThanOrEqual(columns);
        },
      ),
    );
  });

  test('INV-12: one scope or state of megabytes does not make every line as long', () => {
    const huge = 'x'.repeat(4 * 1024 * 1024);
    const pods = Array.from({ length: 1_000 }, () => IDLE);
    const odd = { ...IDLE, state: huge, allow: [mayWrite(`/${huge}`)] };
    const table = renderPodTable([...pods, odd], PLAIN, null);
    expect(table).toContain(`/${huge}`);
    expect(table.length).toBeLessThan(huge.length + 1_002 * 300);
  });

  test('CLI-2: a name with a line feed or an escape sequence does not make a line of its own', () => {
    const tricky = { ...IDLE, pod: 'a\nb', allow: [mayWrite('/w\n/etc\u001b[2J')] };
    expect(lines([tricky])[1]).toMatch(/^a\\nb {2}idle .* \/w\\n\/etc\\x1b\[2J {2}1 h 1 m$/);
  });

  test('CLI-2: on a terminal the columns are the same under their colours', () => {
    const { out } = new FakeShell({ terminal: true }).shell;
    const pods = [IDLE, { ...IDLE, pod: 'x', state: 'dead', turns: null }];
    const painted = renderPodTable(pods, styleFor(out, {}), null);
    expect(painted).toContain('\u001b[31mdead\u001b[39m');
    expect(painted.replaceAll(/\u001b\[\d+m/g, '')).toBe(renderPodTable(pods, PLAIN, null));
  });
});
