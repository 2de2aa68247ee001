import type { Bench, Reading } from './figure.ts';
import { median } from './median.ts';
import { SideBySide } from './side-by-side.ts';

/** Until the engine has compiled what is run often. */
const WARM_RUNS = 30;

/** SPEED-3. */
export async function measureWarmRun({ quick, signal }: Bench): Promise<readonly Reading[]> {
  await using both = await SideBySide.start(signal);
  const podd: number[] = [];
  const sdk: number[] = [];
  const server: number[] = [];
  const samples = quick ? 10 : 60;
  for (let run = 0; run < WARM_RUNS + samples; run += 1) {
    const first = run % 2 === 0 ? 'podd' : 'sdk';
    const timed = await both.run(first, { calls: 0, input: `What is the answer of run ${run}?` });
    if (run < WARM_RUNS) continue;
    podd.push(timed.podd.ms - timed.podd.serverMs);
    sdk.push(timed.sdk.ms - timed.sdk.serverMs);
    server.push(timed.podd.serverMs);
  }
  const also = { serverMs: median(server) };
  return [{ figure: 'warmRun', baseline: median(sdk), podd: median(podd), samples, also }];
}
