import { join } from 'node:path';
import { pause } from '../keep-trying.ts';
import { CLIENT_LIMITS } from '../limits.ts';
import { LineFile } from '../line-file.ts';
import { PodError } from '../pod-error.ts';
import { findStateFolder } from '../state-folder.ts';
import { renderLogLine } from './render/log-line.ts';
import { showName, styleFor } from './render/style.ts';
import { EXIT, type Shell } from './shell.ts';

export type LogsOptions = {
  readonly pod: string;
  readonly follow: boolean;
  /** How many lines of the end are shown. */
  readonly lines: number;
  readonly state: string | undefined;
  readonly format: 'text' | 'json';
};

type Print = (line: string) => void;

/** Prints a Pod's log from its state folder: the Pod itself is not asked, and may be dead. */
export async function logsCommand(shell: Shell, options: LogsOptions): Promise<number> {
  const { out, env, onInterrupt } = shell;
  const style = styleFor(out, env);
  const print: Print = (line) => {
    out.write(`${options.format === 'json' ? line : renderLogLine(line, style)}\n`);
  };
  const path = join(await findStateFolder(options.pod, options.state, shell), 'podd.log');
  const left = new AbortController();
  using _interrupts = onInterrupt(() => {
    left.abort();
  });
  const file = await openLog(path);
  try {
    for (const line of await lastLines(file, path, options.lines)) print(line);
    await out.drained();
    if (!options.follow) {
      await file[Symbol.asyncDispose]();
      return EXIT.finished;
    }
    await follow(file, path, { print, drained: out.drained, signal: left.signal });
  } catch (error) {
    if (!left.signal.aborted) throw error;
  }
  return EXIT.interrupted;
}

async function openLog(path: string): Promise<LineFile> {
  const file = await LineFile.open(path).catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new PodError('no_place', `the log ${showName(path)} can't be read: ${why}`, { cause });
  });
  if (file !== null) return file;
  throw new PodError(
    'no_place',
    `there is no log at ${showName(path)}; has a Pod of that name been started, with this PODD_STATE_DIR? (podctl logs --state DIR)`,
  );
}

/** Of the file, and of the one that it was before it began anew. */
async function lastLines(file: LineFile, path: string, count: number): Promise<string[]> {
  const kept: string[] = [];
  const keep = (line: string): void => {
    kept.push(line);
    // Moved together now and then: a shift at each line would cost more than the reading.
    if (kept.length > 2 * count + 1_000) kept.splice(0, kept.length - count);
  };
  const before = `${path}.1`;
  // It was moved since we opened it: then that is the older one.
  await using older = (await file.isAt(before)) ? null : await LineFile.open(before);
  if (older !== null) for await (const line of older.lines()) keep(line);
  for await (const line of file.lines()) keep(line);
  return count === 0 ? [] : kept.slice(-count);
}

type Following = {
  readonly print: Print;
  readonly drained: () => Promise<void>;
  readonly signal: AbortSignal;
};

/** Goes on when the log begins anew, at its cap or because somebody moved it away. Ends by the signal alone. */
async function follow(
  first: LineFile,
  path: string,
  { print, drained, signal }: Following,
): Promise<void> {
  let file = first;
  try {
    for (;;) {
      // Before the last look at the old one, so that nothing is written to it behind that.
      const wasMoved = await file.wasMoved();
      for await (const line of file.lines()) {
        print(line);
        await drained();
      }
      const next = wasMoved ? await LineFile.open(path) : null;
      if (next === null) await pause(CLIENT_LIMITS.logPollMs, signal);
      else {
        const rest = file.takeRest();
        if (rest !== '') print(rest);
        await file[Symbol.asyncDispose]();
        file = next;
      }
    }
  } finally {
    await file[Symbol.asyncDispose]();
  }
}
