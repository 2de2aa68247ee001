import type { Usage } from '../../protocol/report.ts';

/** US dollars per million tokens. */
type PerMillion = {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
};

/** In US dollars; null where the model's prices are not known. */
export function costOf(usage: Usage, prices: PerMillion | undefined): number | null {
  if (prices === undefined) return null;
  const { inputTotal, cacheRead, cacheWrite, output } = usage;
  const plain = Math.max(0, inputTotal - cacheRead - cacheWrite);
  const sum =
    plain * prices.input +
    cacheRead * prices.cacheRead +
    cacheWrite * prices.cacheWrite +
    output * prices.output;
  return sum / 1_000_000;
}
