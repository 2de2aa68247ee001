import type { Reply } from '../../../protocol/methods.ts';
import type { OccupancyPoint } from './occupancy-svg.ts';

export type UsageRecord = Reply<'GetUsage'>['records'][number];

/** How full the window was at each request of a run. A compactor's and those thrown away say nothing of that. */
export function toOccupancyPoints(records: readonly UsageRecord[]): OccupancyPoint[] {
  const runs = records.filter(({ kind }) => kind === 'run');
  return runs.map((record, index) => {
    const tokens = record.inputTotal;
    const before = runs[index - 1];
    if (before === undefined) return { tokens };
    if (record.historyLen < before.historyLen) return { tokens, mark: 'compacted' };
    return tokens < before.inputTotal ? { tokens, mark: 'pruned' } : { tokens };
  });
}
