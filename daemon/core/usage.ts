import type { Usage } from '../../protocol/report.ts';

export const NO_USAGE: Usage = { inputTotal: 0, cacheRead: 0, cacheWrite: 0, output: 0 };

export function addUsage(a: Usage, b: Usage): Usage {
  return {
    inputTotal: a.inputTotal + b.inputTotal,
    cacheRead: a.cacheRead + b.cacheRead,
    cacheWrite: a.cacheWrite + b.cacheWrite,
    output: a.output + b.output,
  };
}

/** Where no request was ever answered, a token is taken for this many bytes. */
const BYTES_PER_TOKEN = 4;

export type Occupancy = {
  readonly tokens: number;
  readonly source: 'measured' | 'extrapolated' | 'no_data';
};

/**
 * Tokens that the history fills now. A record is exact for the history it was sent with; what came after is
 * reckoned by that record's tokens per byte; without one, by bytes ÷ 4.
 */
export function estimateOccupancy(history: {
  readonly bytes: number;
  readonly measuredBytes: number;
  readonly measuredTokens: number | null;
}): Occupancy {
  const { bytes, measuredBytes, measuredTokens } = history;
  if (measuredTokens === null)
    return { tokens: Math.ceil(bytes / BYTES_PER_TOKEN), source: 'no_data' };
  const since = bytes - measuredBytes;
  if (since <= 0) return { tokens: measuredTokens, source: 'measured' };
  const perByte = measuredBytes > 0 ? measuredTokens / measuredBytes : 1 / BYTES_PER_TOKEN;
  return { tokens: Math.ceil(measuredTokens + since * perByte), source: 'extrapolated' };
}
