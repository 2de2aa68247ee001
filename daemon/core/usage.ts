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
