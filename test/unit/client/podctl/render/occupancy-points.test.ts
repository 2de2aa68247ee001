import { expect, test } from 'vitest';
import {
  toOccupancyPoints,
  type UsageRecord,
} from '../../../../../client/podctl/render/occupancy-points.ts';

function record(
  historyLen: number,
  inputTotal: number,
  kind: UsageRecord['kind'] = 'run',
): UsageRecord {
  return { historyLen, inputTotal, kind, cacheRead: 0, cacheWrite: 0, output: 0, at: 0 };
}

test('CLI-2: a shorter history is a compaction, a smaller prompt of a longer one a pruning; only requests of runs count', () => {
  expect(
    toOccupancyPoints([
      record(1, 100),
      record(3, 300),
      record(0, 40, 'compactor'),
      record(5, 200),
      record(5, 200),
      record(9, 10, 'discarded'),
      record(2, 90),
      record(2, 80),
      record(1, 900),
    ]),
  ).toEqual([
    { tokens: 100 },
    { tokens: 300 },
    { tokens: 200, mark: 'pruned' },
    { tokens: 200 },
    { tokens: 90, mark: 'compacted' },
    { tokens: 80, mark: 'pruned' },
    { tokens: 900, mark: 'compacted' },
  ]);
  expect(toOccupancyPoints([])).toEqual([]);
});
