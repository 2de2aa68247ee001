import { writeSync } from 'node:fs';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { Fault, START_FAULTS } from '../core/fault.ts';
import { LIMITS } from '../core/limits.ts';
import { ignore } from '../support/deferred.ts';
import type { Options } from './options.ts';
import { parseOptions, USAGE } from './options.ts';
import { onSignals } from './signals.ts';
import type { StartedPod } from './start.ts';
import { startPod } from './start.ts';

/** Put in by the build, from package.json. */
declare const PODD_VERSION: string;

const EXIT_BUG = 70;

/** argv and environment in, exit code out. */
async function main(argv: readonly string[]): Promise<number> {
  const options = parseOptions(argv);
  if (options.kind === 'help') return say(USAGE);
  if (options.kind === 'version') return say(`podd ${PODD_VERSION}\n`);
  return await serve({ ...options, manifest: resolve(options.manifest) });
}

async function serve(options: Extract<Options, { kind: 'serve' }>): Promise<number> {
  // Whatever the umask was, files of the daemon are the user's alone. User files get the mode of the old one.
  const umask = process.umask(0o077);
  const started: { pod?: StartedPod; stop?: 'SIGTERM' | 'SIGINT' } = {};
  using _signals = onSignals({
    stop: (signal) => {
      started.stop = signal;
      if (started.pod !== undefined) stopBySignal(started.pod, signal);
    },
    abort: (code) => process.exit(code),
    reopenLog: () => started.pod?.logFile.reopen(),
  });
  const pod = await startPod(options, {
    env: process.env,
    home: homedir(),
    cwd: () => process.cwd(),
    version: PODD_VERSION,
    umask,
  });
  started.pod = pod;
  const onBug = (error: unknown): void => {
    pod.pod.meetBug(error);
    // The loop may be what is broken.
    setTimeout(() => process.exit(EXIT_BUG), 4 * LIMITS.closeStepMs).unref();
  };
  process.on('uncaughtException', onBug);
  process.on('unhandledRejection', onBug);
  tellReady(options.readyFd, pod);
  if (started.stop !== undefined) stopBySignal(pod, started.stop);
  // A log that can't be loaded is a bug of the build, and a daemon without a log is none that one can trust.
  setImmediate(() => {
    pod.logFile.start().catch(onBug);
  });
  try {
    await pod.pod.serve();
  } catch (error) {
    await tellBug(pod, error);
    return process.exit(EXIT_BUG);
  }
  await closeInTime(pod);
  return 0;
}

/** Closes what is open. What hangs, a step or a file call that nobody waits for any more, does not keep the process. */
async function closeInTime(pod: StartedPod): Promise<void> {
  setTimeout(() => {
    pod.logFile.log.error('the process does not end: something hangs', { limitMs: LIMITS.exitMs });
    endForGood();
  }, LIMITS.exitMs).unref();
  await pod[Symbol.asyncDispose]();
}

// process.exit would wait for the thread that hangs.
function endForGood(): void {
  process.kill(process.pid, 'SIGKILL');
}

/** One line for whoever waits for it. A reader that is gone is no reason not to serve. */
function tellReady(fd: number, { ready, logFile }: StartedPod): void {
  try {
    writeSync(fd, `${JSON.stringify(ready)}\n`);
  } catch (error) {
    logFile.log.warn('the ready line could not be written', { fd, err: error });
  }
}

function stopBySignal(pod: StartedPod, signal: 'SIGTERM' | 'SIGINT'): void {
  const mode = signal === 'SIGINT' ? 'now' : 'graceful';
  ignore(pod.pod.stop('signal', mode, LIMITS.shutdownNowMs), 'the loop ends by it');
}

/** A promise of ours is broken. What is on disk is whole; open requests have their answer, the report goes to the log. */
async function tellBug(pod: StartedPod, error: unknown): Promise<void> {
  await pod.logFile.start().catch(() => undefined);
  pod.logFile.log.fatal('a bug stops the Pod', { err: error });
  process.stderr.write(`podd: a bug stops the Pod; the report is in its log\n`);
  try {
    await pod[Symbol.asyncDispose]();
  } catch (closing) {
    pod.logFile.log.error('closing failed after the bug', { err: closing });
  }
}

function say(text: string): number {
  process.stdout.write(text);
  return 0;
}

function tellFailure(error: unknown): number {
  if (error instanceof Fault && error.code in START_FAULTS) {
    process.stderr.write(`podd: ${error.message}\n`);
    return START_FAULTS[error.code as keyof typeof START_FAULTS];
  }
  process.stderr.write(
    `podd: a bug: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return EXIT_BUG;
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.exitCode = tellFailure(error);
  },
);
