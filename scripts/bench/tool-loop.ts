import type { Bench, Reading } from './figure.ts';
import { median } from './median.ts';
import { SideBySide, type Timed } from './side-by-side.ts';

const CALLS = 50;
/** The loop before the one that counts: as many, so that what is run often is compiled. */
const WARM_CALLS = 50;

/** SPEED-4: each sample is a loop of two new processes, which have one behind them. */
export async function measureToolLoop({ quick, signal }: Bench): Promise<readonly Reading[]> {
  const podd: number[] = [];
  const sdk: number[] = [];
  const server: number[] = [];
  const samples = quick ? 1 : 6;
  for (let sample = 0; sample < samples; sample += 1) {
    await using both = await SideBySide.start(signal);
    const first = sample % 2 === 0 ? 'podd' : 'sdk';
    await both.run(first, { calls: WARM_CALLS, input: 'Read it again and again.' });
    const timed = await both.run(first, { calls: CALLS, input: 'And once more.' });
    podd.push(perTurn(timed.podd));
    sdk.push(perTurn(timed.sdk));
    server.push(timed.podd.serverMs / timed.podd.turns);
  }
  const also = { serverMs: median(server) };
  return [{ figure: 'toolTurn', baseline: median(sdk), podd: median(podd), samples, also }];
}

function perTurn({ ms, serverMs, turns }: Timed): number {
  return (ms - serverMs) / turns;
}
