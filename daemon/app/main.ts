import { homedir, userInfo } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Cancelled } from '../core/cancel.ts';
import { Fault, START_FAULTS } from '../core/fault.ts';
import { showControls } from '../core/show-controls.ts';
import { LIMITS } from '../core/limits.ts';
import { waitOrAbandon } from '../support/abandon.ts';
import { ignore } from '../support/deferred.ts';
import { checkPod, printManifest, type Surroundings } from './configure.ts';
import type { Stderr } from './log-stderr.ts';
import { openStderr, replaceNodeStderr } from './log-stderr.ts';
import type { ConfigOptions, ManifestOption, ServeOptions } from './options.ts';
import { parseOptions, USAGE } from './options.ts';
import { NOTIFY_VARIABLES } from './service-notices.ts';
import type { ReadyLine } from './ready-line.ts';
import { openReadyLine } from './ready-line.ts';
import { readStdin } from './read-stdin.ts';
import { withoutKeys } from './secrets.ts';
import { onSignals } from './signals.ts';
import type { StartedPod } from './start.ts';
import { startPod } from './start.ts';

/** Put in by the build, from package.json. */
declare const PODD_VERSION: string;
/** The commit that was built, or `unknown`. */
declare const PODD_BUILD: string;

const EXIT_BUG = 70;

/** argv and environment in, exit code out. */
async function main(argv: readonly string[], stderr: Stderr): Promise<number> {
  const options = parseOptions(argv);
  if (options.kind === 'help') return await say(USAGE);
  if (options.kind === 'version') return await say(`podd ${PODD_VERSION}\n`);
  if (options.kind === 'check' || options.kind === 'print_manifest') {
    const look = options.kind === 'check' ? checkPod : printManifest;
    const never = new AbortController().signal;
    return await say(await look(withAbsolutePaths(options), surroundings(process.env, never)));
  }
  // First of all: nothing of ours may have its number yet.
  using ready = openReadyLine(options.readyFd);
  return await serve(withAbsolutePaths(options), { stderr, ready });
}

async function serve(
  options: ServeOptions,
  { stderr, ready }: { readonly stderr: Stderr; readonly ready: ReadyLine },
): Promise<number> {
  replaceNodeStderr(stderr);
  // Whatever the umask was, files of the daemon are the user's alone. User files get the mode of the old one.
  const umask = process.umask(0o077);
  const started: { pod?: StartedPod; stop?: 'SIGTERM' | 'SIGINT' } = {};
  const stopAsked = new AbortController();
  using _signals = onSignals({
    stop: (signal) => {
      started.stop = signal;
      stopAsked.abort(new Cancelled({ kind: 'shutdown' }));
      if (started.pod !== undefined) stopBySignal(started.pod, signal);
    },
    abort: dieBy,
    reopenLog: () => started.pod?.logFile.reopen(),
  });
  // Node's own listener writes to stderr, and waits there for its reader.
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    started.pod?.logFile.log.warn('Node warns', { err: warning });
  });
  const env = { ...process.env };
  for (const name of NOTIFY_VARIABLES) Reflect.deleteProperty(process.env, name);
  const starting = startPod(options, {
    ...surroundings(env, stopAsked.signal),
    version: PODD_VERSION,
    build: PODD_BUILD,
    schema: fileURLToPath(new URL('./protocol/schema.json', import.meta.url)),
    umask,
    isRoot: process.getuid?.() === 0,
    stderr,
  });
  // A start that hangs, on a dead mount say, is not waited for once it is to stop.
  const pod = await waitOrAbandon(starting, stopAsked.signal, LIMITS.startAbandonMs);
  started.pod = pod;
  const onBug = (error: unknown): void => {
    pod.pod.meetBug(error);
    // The loop may be what is broken.
    setTimeout(() => {
      endWithBug(pod);
    }, 4 * LIMITS.closeStepMs).unref();
  };
  process.on('uncaughtException', onBug);
  process.on('unhandledRejection', onBug);
  ready.tell(`${JSON.stringify(pod.ready)}\n`);
  pod.notices.ready();
  if (started.stop !== undefined) stopBySignal(pod, started.stop);
  // A log that can't be loaded is a bug of the build, and a daemon without a log is none that one can trust.
  setImmediate(() => {
    pod.logFile.start().catch(onBug);
  });
  try {
    await pod.pod.serve();
  } catch (error) {
    await tellBug(pod, stderr, error);
    return endWithBug(pod);
  }
  await closeInTime(pod);
  if (!pod.wasFenced()) return 0;
  throw new Fault(
    'taken',
    `Pod ${pod.ready.pod} lost its scope in the registry (podctl scope shows who owns what): it touched nothing after that`,
  );
}

function surroundings(env: Surroundings['env'], stopAsked: AbortSignal): Surroundings {
  return {
    env,
    home: homedir(),
    userHome: findUserHome(),
    uid: process.getuid?.() ?? -1,
    cwd: () => process.cwd(),
    readStdin,
    stopAsked,
    shipped: {
      prompts: fileURLToPath(new URL('../manifests/prompts', import.meta.url)),
      template: fileURLToPath(new URL('./template.js', import.meta.url)),
    },
  };
}

// A container's user may have no row in the user database.
function findUserHome(): string | null {
  try {
    return userInfo().homedir;
  } catch {
    return null;
  }
}

/** Closes what is open. What hangs, a step or a file call that nobody waits for any more, does not keep the process. */
async function closeInTime(pod: StartedPod): Promise<void> {
  endIfItHangs(() => {
    pod.logFile.log.error('the process does not end: something hangs', { limitMs: LIMITS.exitMs });
  });
  await pod[Symbol.asyncDispose]();
}

/** The timer keeps nothing alive; what hangs keeps the process, and so the timer fires. */
function endIfItHangs(before: () => void): void {
  setTimeout(() => {
    before();
    endForGood();
  }, LIMITS.exitMs).unref();
}

// process.exit would wait for the thread that hangs.
function endForGood(): void {
  process.kill(process.pid, 'SIGKILL');
}

function endWithBug(pod: StartedPod): number {
  if (pod.pod.hasSurvivors()) endForGood();
  return process.exit(EXIT_BUG);
}

/** As if nobody had listened: it ends whatever hangs, and whoever waits sees the signal (a shell says 128+n). */
function dieBy(signal: 'SIGTERM' | 'SIGINT'): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
}

function withAbsolutePaths<T extends ConfigOptions>(options: T): T {
  const { manifest, userManifest, state } = options;
  const orNull = (path: string | null): string | null => (path === null ? null : toAbsolute(path));
  return {
    ...options,
    manifest: absoluteManifest(manifest),
    userManifest: orNull(userManifest),
    state: orNull(state),
  };
}

function absoluteManifest(manifest: ManifestOption): ManifestOption {
  if (manifest.kind === 'file') return { kind: 'file', path: toAbsolute(manifest.path) };
  if (manifest.kind === 'stdin' || manifest.project === null) return manifest;
  return { kind: 'found', project: toAbsolute(manifest.project) };
}

/** `resolve` throws in a folder that is gone; that is told by whoever needs the folder. */
function toAbsolute(path: string): string {
  try {
    return resolve(path);
  } catch (cause) {
    throw new Fault(
      'manifest_invalid',
      `${path}: the working directory is gone, so there is nothing that it is relative to`,
      { cause },
    );
  }
}

function stopBySignal(pod: StartedPod, signal: 'SIGTERM' | 'SIGINT'): void {
  const mode = signal === 'SIGINT' ? 'now' : 'graceful';
  ignore(pod.pod.stop('signal', mode, LIMITS.shutdownNowMs), 'the loop ends by it');
}

/** A promise of ours is broken. What is on disk is whole; open requests have their answer, the report goes to the log. */
async function tellBug(pod: StartedPod, stderr: Stderr, error: unknown): Promise<void> {
  await pod.logFile.start().catch(() => undefined);
  pod.logFile.log.fatal('a bug stops the Pod', { err: error });
  stderr.say('podd: a bug stops the Pod; the report is in its log\n');
  try {
    await closeInTime(pod);
  } catch (closing) {
    pod.logFile.log.error('closing failed after the bug', { err: closing });
  }
}

/** A reader that has enough, `head` say, is no failure of what was said. */
async function say(text: string): Promise<number> {
  const { stdout } = process;
  const error = await new Promise<unknown>((resolve) => {
    stdout.on('error', resolve);
    stdout.write(text, resolve);
  });
  if (!(error instanceof Error) || ('code' in error && error.code === 'EPIPE')) return 0;
  const says = `what it has to say can't be written to stdout: ${error.message}`;
  throw new Fault('cannot_create', says, { cause: error });
}

function tellFailure(error: unknown, stderr: Stderr): number {
  // Stopped while it waited to start: nothing was begun.
  if (error instanceof Cancelled) return 0;
  if (error instanceof Fault && error.code in START_FAULTS) {
    // What is wrong is quoted, and may be a key in the wrong place.
    // A hint of ours stands on a line of its own; what a repository brought stays in one.
    const says = error.code === 'usage' ? error.message : showControls(error.message);
    stderr.say(`podd: ${withoutKeys(says)}\n`);
    return START_FAULTS[error.code as keyof typeof START_FAULTS];
  }
  const report = error instanceof Error ? (error.stack ?? error.message) : String(error);
  stderr.say(`podd: a bug: ${report}\n`);
  return EXIT_BUG;
}

async function runMain(): Promise<void> {
  using stderr = openStderr(process.env);
  try {
    process.exitCode = await main(process.argv.slice(2), stderr);
  } catch (error) {
    process.exitCode = tellFailure(error, stderr);
    endIfItHangs(() => undefined);
  }
}

ignore(runMain(), 'it tells its failures by the exit code');
