import { parseArgs } from 'node:util';
import { SPEED_IDS, type SpeedId } from './figure.ts';

export type BenchOptions = {
  readonly only: readonly SpeedId[];
  readonly rounds: number;
  readonly quick: boolean;
  readonly json: string | null;
  readonly out: string;
  readonly writeDocs: boolean;
  /** Some of it, or few samples: nothing to put in the place of what the docs show, unless a folder was named. */
  readonly drawChart: boolean;
};

export type Parsed =
  | { readonly kind: 'help' }
  | { readonly kind: 'refused'; readonly says: string }
  | { readonly kind: 'run'; readonly options: BenchOptions };

const ROUNDS_MAX = 100;

export const USAGE = `Measures how fast and how large podd is, each figure against a baseline in the same run. Needs dist/: npm run build.

Usage: npm run bench -- [options]

  --only ID,ID     only these of ${SPEED_IDS.join(', ')}
  --rounds N       how often each is measured (default 3); the worst round is shown
  --quick          fewer samples: to try it out
  --json FILE      write everything that was measured to FILE
  --out DIR        where the chart benchmarks.svg is written (default docs; then only by a run of everything)
  --write-docs     put the table into benchmarks.md of that folder too; for a run of everything
  --help           print this

Exit codes: 0 measured, whether the targets were reached or not, 1 it could not be measured, 64 usage, 130 and 143 by a signal.

Examples:
  npm run bench
  npm run bench -- --only SPEED-1,SPEED-7 --rounds 5
  npm run bench -- --quick --rounds 1 --json /tmp/bench.json --out /tmp
  npm run bench -- --write-docs
`;

/** argv → what to do. */
export function parseOptions(argv: readonly string[]): Parsed {
  try {
    const { values } = parse(argv);
    if (values.help) return { kind: 'help' };
    const only = toIds(values.only);
    const rounds = Number(values.rounds);
    if (!Number.isInteger(rounds) || rounds < 1 || rounds > ROUNDS_MAX)
      return refused(`--rounds ${values.rounds}: a whole number from 1 to ${ROUNDS_MAX}`);
    const isWhole = only.length === SPEED_IDS.length && !values.quick;
    const writeDocs = values['write-docs'];
    if (writeDocs && !isWhole)
      return refused('--write-docs: only for everything, without --only and --quick');
    const { quick, json = null, out = 'docs' } = values;
    const drawChart = isWhole || values.out !== undefined;
    return { kind: 'run', options: { only, rounds, quick, json, out, writeDocs, drawChart } };
  } catch (error) {
    if (error instanceof TypeError) return refused(error.message);
    throw error;
  }
}

function parse(argv: readonly string[]) {
  return parseArgs({
    args: [...argv],
    options: {
      only: { type: 'string', default: SPEED_IDS.join() },
      rounds: { type: 'string', default: '3' },
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      out: { type: 'string' },
      'write-docs': { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
}

function toIds(text: string): SpeedId[] {
  const asked = text.split(',').map((id) => id.trim());
  const unknown = asked.find((id) => !SPEED_IDS.some((known) => known === id));
  if (unknown !== undefined)
    throw new TypeError(`--only ${unknown}: there are ${SPEED_IDS.join(', ')}`);
  return SPEED_IDS.filter((id) => asked.includes(id));
}

function refused(says: string): Parsed {
  return { kind: 'refused', says };
}
