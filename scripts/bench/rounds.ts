import { measureAppend } from './durable-append.ts';
import type { Bench, FigureName, Reading, Row, SpeedId } from './figure.ts';
import { FIGURES, toRow } from './figure.ts';
import { measureMemory } from './idle-memory.ts';
import { measurePromptCost } from './prompt-cost.ts';
import { measureStart } from './start-time.ts';
import { measureToolLoop } from './tool-loop.ts';
import { measureWarmRun } from './warm-run.ts';

const MEASURES: Readonly<Record<SpeedId, (bench: Bench) => Promise<readonly Reading[]>>> = {
  'SPEED-1': measureStart,
  'SPEED-2': measureMemory,
  'SPEED-3': measureWarmRun,
  'SPEED-4': measureToolLoop,
  'SPEED-7': measureAppend,
  'SPEED-12': measurePromptCost,
};

/** What is counted and not timed is the same in each round. */
const COUNTED: ReadonlySet<SpeedId> = new Set(['SPEED-12']);

/** Everything that is asked for, round by round, so that a bad minute of the machine is in one round of each. */
export async function measureRounds(
  { only, rounds }: { readonly only: readonly SpeedId[]; readonly rounds: number },
  bench: Bench,
  tell: (says: string) => void,
): Promise<Row[]> {
  const readings: Reading[] = [];
  for (let round = 1; round <= rounds; round += 1)
    for (const id of only) {
      if (round > 1 && COUNTED.has(id)) continue;
      tell(`round ${round} of ${rounds}: ${id}`);
      readings.push(...(await MEASURES[id](bench)));
    }
  return (Object.keys(FIGURES) as FigureName[]).flatMap((name) => {
    const [first, ...others] = readings.filter(({ figure }) => figure === name);
    return first === undefined ? [] : [toRow(name, [first, ...others])];
  });
}
