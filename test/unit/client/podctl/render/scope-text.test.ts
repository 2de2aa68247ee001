import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planOwners, renderScope } from '../../../../../client/podctl/render/scope-text.ts';
import { styleFor } from '../../../../../client/podctl/render/style.ts';
import type { Allocation, Liveness } from '../../../../../protocol/registry.ts';
import { FakeShell } from '../../../../support/fake-shell.ts';
import { allocationOf, mayRead, mayWrite } from '../../../../support/registry-table.ts';

const PLACE = { path: '/r', moved: false };
const NOW = Date.UTC(2026, 0, 2, 5, 9, 5);
const PLAIN = styleFor(new FakeShell().shell.out, {});

const LEAD = { pod: 'lead', store: '/state/pods/lead' };
const TREE: readonly Allocation[] = [
  allocationOf({
    pod: 'api',
    pid: 43,
    epoch: 3,
    allow: [{ ...mayWrite('/w/api'), recursive: false }, mayRead('/docs')],
    delegatedFrom: 'lead',
    origin: LEAD,
  }),
  allocationOf({
    pod: 'lead',
    pid: 42,
    allow: [mayWrite('/w')],
    deny: [mayRead('/w/keys')],
  }),
];

function render(rows: readonly Allocation[], liveness: Liveness = 'live', place = PLACE): string {
  const owners = planOwners(rows, () => liveness);
  return renderScope({ registry: place, owners, now: NOW }, PLAIN);
}

describe('renderScope', () => {
  test('CLI-2 SCOPE-6: who owns what, what was given away to whom, each Pod below its holder', () => {
    expect(render(TREE)).toBe(
      `registry /r

lead  live, pid 42, epoch 1, podd 0.1.0
  may        write /w
  may not    read /w/keys
  gave away  write /w/api (with its direct children only) to api
  since      2026-01-02 03:04:05 UTC (2 h 5 m)
  socket     /run/podd/lead/sock

└─ api  live, pid 43, epoch 3, podd 0.1.0
     may        write /w/api (with its direct children only)
     may        read /docs
     since      2026-01-02 03:04:05 UTC (2 h 5 m)
     socket     /run/podd/api/sock
`,
    );
  });

  test('SCOPE-11 INV-10: a dead owner and an unknown one are different things', () => {
    expect(render(TREE, 'dead')).toContain(
      'lead  dead, pid 42, epoch 1, podd 0.1.0 (the next podd that starts takes back what it owned)\n',
    );
    expect(render(TREE, 'unknown')).toContain(
      'lead  perhaps live, pid 42, epoch 1, podd 0.1.0 (its process can’t be seen from here, so it keeps what it owns)\n',
    );
  });

  test('SCOPE-6: who spawned a Pod is told when another one holds it now', () => {
    const text = render(TREE.slice(0, 1).map((row) => ({ ...row, delegatedFrom: null })));
    expect(text).toContain('  spawned by lead, which is gone\n');
    expect(render(TREE)).not.toContain('spawned by');
  });

  test('SCOPE-5: a registry that was moved says so, and one without rows that nobody owns anything', () => {
    const moved = { path: '/r', moved: true };
    expect(render(TREE, 'live', moved)).toMatch(
      /^registry \/r \(moved there by PODD_SCOPE_REGISTRY\)\n/,
    );
    expect(render([], 'live', moved)).toBe(
      'nobody owns anything: no Pod is in the registry /r (moved there by PODD_SCOPE_REGISTRY)\n',
    );
  });

  test('CLI-2: a path with a line feed does not look like a rule, and no escape sequence gets out', () => {
    const target = '/w\n  may        write /etc\u001b[2J';
    const text = render([allocationOf({ pod: 'a', allow: [mayWrite(target)] })]);
    expect(text).toContain('  may        write /w\\n  may        write /etc\\x1b[2J\n');
  });

  test('CLI-2: a time that is none, or lies ahead, does no harm', () => {
    const since = (claimedAt: number): string => render([allocationOf({ pod: 'a', claimedAt })]);
    expect(since(1e300)).toContain('since      an unknown time\n');
    expect(since(NOW + 60_000)).toContain('(0 s)\n');
  });
});

describe('planOwners', () => {
  test('INV-12: many below one holder, or in one chain, are planned in a time that grows with their number', () => {
    const count = 100_000;
    const rows = (holderOf: (n: number) => string): Allocation[] =>
      Array.from({ length: count }, (_, n) =>
        allocationOf({ pod: `p${n}`, delegatedFrom: n === 0 ? null : holderOf(n) }),
      );
    const wide = planOwners(
      rows(() => 'p0'),
      () => 'live',
    );
    expect(wide[0]?.delegated).toHaveLength(count - 1);
    const deep = planOwners(
      rows((n) => `p${n - 1}`),
      () => 'live',
    );
    expect(deep.at(-1)).toMatchObject({ depth: count - 1, row: { pod: `p${count - 1}` } });
  });

  test('CLI-2: no row is left out or shown twice, whatever the table says of their holders', () => {
    const row = fc.record({
      pod: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      delegatedFrom: fc.option(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'gone')),
    });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 8 }), (rows) => {
        const table = rows.map((one) => allocationOf(one));
        const owners = planOwners(table, () => 'live');
        expect(owners).toHaveLength(table.length);
        expect(new Set(owners.map((owner) => owner.row))).toEqual(new Set(table));
        for (const [i, { depth }] of owners.entries())
          expect(depth).toBeLessThanOrEqual((owners[i - 1]?.depth ?? -1) + 1);
      }),
    );
  });
});
