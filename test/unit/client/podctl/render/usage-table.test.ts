import { describe, expect, test } from 'vitest';
import type { UsageRecord } from '../../../../../client/podctl/render/occupancy-points.ts';
import { styleFor } from '../../../../../client/podctl/render/style.ts';
import { renderUsage } from '../../../../../client/podctl/render/usage-table.ts';
import { FakeShell } from '../../../../support/fake-shell.ts';

const AT = Date.UTC(2026, 10, 28, 14, 41, 30, 999);
const RUN: UsageRecord = {
  at: AT,
  kind: 'run',
  historyLen: 3,
  inputTotal: 12_000,
  cacheRead: 9_000,
  cacheWrite: 500,
  output: 80,
  costUsd: 0.0123,
};

function render(...records: UsageRecord[]): string[] {
  const { out } = new FakeShell().shell;
  return renderUsage(records, styleFor(out, {})).trimEnd().split('\n');
}

describe('renderUsage', () => {
  test('CLI-2: a line for each request, numbers below each other, and the sums', () => {
    const compactor: UsageRecord = { ...RUN, kind: 'compactor', historyLen: 0, cacheRead: 0 };
    expect(render(RUN, compactor)).toEqual([
      'TIME (UTC)           KIND       ITEMS   INPUT       CACHED  WRITTEN  OUTPUT     COST',
      '2026-11-28 14:41:30  run            3  12,000  9,000 (75%)      500      80  $0.0123',
      '2026-11-28 14:41:30  compactor      0  12,000       0 (0%)      500      80  $0.0123',
      '2 requests                             24,000  9,000 (38%)    1,000     160  $0.0246',
    ]);
  });

  test('CLI-2: where no price is known there is none; where some are not, the sum is a least one', () => {
    const { costUsd: _cost, ...free } = RUN;
    expect(render(free).at(-1)).toMatch(/^1 request .* -$/);
    expect(render(free, { ...RUN, costUsd: 2 }).at(-1)).toMatch(/≥\$2\.00$/);
  });

  test('CLI-2: a session without a request has sums of nothing', () => {
    expect(render()).toHaveLength(2);
    expect(render()[1]).toMatch(/^0 requests .* 0 \(-\) /);
  });
});
