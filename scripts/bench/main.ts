import { setMaxListeners } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { drawChart } from './chart.ts';
import { writeTable } from './docs-table.ts';
import { type Row, valueOf } from './figure.ts';
import { type Machine, readMachine } from './machine.ts';
import { type BenchOptions, parseOptions, USAGE } from './options.ts';
import { measureRounds } from './rounds.ts';
import { toMarkdown, toText } from './table.ts';

const EXIT_USAGE = 64;
const EXIT_BY = { SIGINT: 130, SIGTERM: 143 } as const;

/** argv in, exit code out. */
async function main(argv: readonly string[]): Promise<number> {
  const parsed = parseOptions(argv);
  if (parsed.kind === 'help') {
    process.stdout.write(USAGE);
    return 0;
  }
  if (parsed.kind === 'refused') {
    process.stderr.write(`${parsed.says}\nSee npm run bench -- --help\n`);
    return EXIT_USAGE;
  }
  const stop = new AbortController();
  setMaxListeners(0, stop.signal);
  let exitCode = 0;
  // All that runs hangs on this signal, and ends its processes and removes its folders on the way out.
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      exitCode = EXIT_BY[signal];
      stop.abort(new Error(`stopped by ${signal}`));
    });
  try {
    await measure(parsed.options, stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    process.stderr.write('stopped\n');
  }
  return exitCode;
}

async function measure(options: BenchOptions, signal: AbortSignal): Promise<void> {
  const machine = readMachine(new Date());
  const { quick, rounds } = options;
  const tell = (says: string): void => {
    process.stderr.write(`${says}\n`);
  };
  const rows = await measureRounds(options, { quick, signal }, tell);
  process.stdout.write(`${toText(rows)}\n`);
  if (quick)
    tell('few samples, and a handful of Pods for the 50: this shows that it can be measured');
  if (options.json !== null)
    await writeFile(options.json, `${JSON.stringify(toJson(rows, machine), null, 2)}\n`);
  const folder = resolve(options.out);
  if (options.drawChart) {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'benchmarks.svg'), drawChart(rows, machine));
    const drawn = rows.flatMap(({ worst: { occupancy = [] } }) => occupancy);
    for (const svg of drawn) await writeFile(join(folder, 'context.svg'), svg);
  }
  if (options.writeDocs)
    await writeTable(join(folder, 'benchmarks.md'), toMarkdown(rows, machine, rounds));
}

function toJson(rows: readonly Row[], machine: Machine): object {
  const figures = rows.map(({ figure, readings, value, reached }) => ({
    ...figure,
    worst: value,
    reached,
    rounds: readings.map((reading) => {
      const { baseline, podd, samples, also } = reading;
      return { baseline, podd, value: valueOf(figure, reading), samples, ...also };
    }),
  }));
  return { machine, figures };
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`the benchmark failed: ${describe(error)}\n`);
  return 1;
});

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
