import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { CLIENT_LIMITS } from './limits.ts';
import { PodError } from './pod-error.ts';

export type StartOptions = {
  /** Without it podd finds one from `cwd` upwards. Relative to `cwd`. */
  readonly manifest?: string | undefined;
  /** More of podd's flags, as `--session new`. */
  readonly args?: readonly string[] | undefined;
  /** Where the agent works: a folder of its scope. Default: this process's. */
  readonly cwd?: string | undefined;
  /** Default: this process's. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** The program and what comes before its flags. Default: the podd that this is the client of. */
  readonly podd?: readonly [string, ...string[]] | undefined;
  readonly deadlineMs?: number | undefined;
  /** Aborted before the Pod is ready, it ends the start and the process; later it does nothing. */
  readonly signal?: AbortSignal | undefined;
};

/** podd's ready line. */
export type StartedPod = {
  readonly pod: string;
  readonly pid: number;
  readonly socket: string;
  readonly sessionId: string;
  readonly epoch: number;
};

/** Why a start failed. `exitCode` is podd's (`podd --help`), null when it did not end by itself. */
export type FailedStart = {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  /** What it said, its end. */
  readonly stderr: string;
};

const ReadyLine = v.looseObject({
  ready: v.literal(true),
  pod: v.string(),
  pid: v.number(),
  socket: v.string(),
  sessionId: v.string(),
  epoch: v.number(),
});

const READY_FD = 3;

/**
 * Starts a Pod that outlives this process: in a session of its own, with nothing of this one's stdio. Resolves when it
 * serves. Throws `start_failed` with podd's own line when it does not come to that; then nothing of it is left.
 */
export async function startPod(options: StartOptions = {}): Promise<StartedPod> {
  const { deadlineMs = CLIENT_LIMITS.startMs, signal } = options;
  signal?.throwIfAborted();
  const child = spawnPodd(options);
  const says = new LastBytes(child.stderr);
  const ended = watchEnd(child);
  let giveUp: (why: unknown) => void = () => undefined;
  const givenUp = new Promise<never>((_resolve, reject) => {
    giveUp = reject;
  });
  const onAbort = (): void => {
    giveUp(signal?.reason);
  };
  const timer = setTimeout(() => {
    giveUp(failure(`podd was not ready in ${deadlineMs} ms`, NOT_ENDED, says.text));
  }, deadlineMs);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    const line = await Promise.race([firstLine(child.stdio[READY_FD] as Readable), ended, givenUp]);
    if (typeof line !== 'string') throw describeEnd(line, says.text);
    return parseReady(line, says.text);
  } catch (error) {
    await stop(child, ended);
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
    letGo(child);
  }
}

function spawnPodd({ manifest, args = [], cwd, env, podd }: StartOptions): ChildProcess {
  const beside = fileURLToPath(new URL('./podd.js', import.meta.url));
  const [command, ...before] = podd ?? [process.execPath, beside];
  const from = manifest === undefined ? [] : ['--manifest', resolve(cwd ?? '.', manifest)];
  const flags = [...before, ...from, ...args, '--ready-fd', String(READY_FD)];
  return spawn(command, flags, {
    cwd,
    env: env === undefined ? undefined : { ...env },
    detached: true,
    // podd takes it for nothing when nobody reads its stderr any more.
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  });
}

type End = Omit<FailedStart, 'stderr'> & { readonly cause?: Error };
const NOT_ENDED: End = { exitCode: null, signal: null };

/** Never rejects. When it resolves, all that the process said is there. */
function watchEnd(child: ChildProcess): Promise<End> {
  return new Promise((resolve) => {
    child.once('error', (cause) => {
      resolve({ ...NOT_ENDED, cause });
    });
    child.once('close', (exitCode, signal) => {
      resolve({ exitCode, signal });
    });
  });
}

/** Undefined end: whoever else waits for the process tells it. */
async function firstLine(stream: Readable): Promise<string> {
  let text = '';
  return await new Promise((resolve) => {
    stream.setEncoding('utf8').on('data', (piece: string) => {
      if (text.length < CLIENT_LIMITS.readyLineBytes) text += piece;
      const end = text.indexOf('\n');
      if (end !== -1) resolve(text.slice(0, end));
    });
    stream.on('error', () => undefined);
  });
}

class LastBytes {
  text = '';

  constructor(stream: Readable | null) {
    stream?.setEncoding('utf8').on('data', (piece: string) => {
      this.text = `${this.text}${piece}`.slice(-CLIENT_LIMITS.startSaysBytes);
    });
    stream?.on('error', () => undefined);
  }
}

function parseReady(line: string, stderr: string): StartedPod {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    value = undefined;
  }
  const ready = v.safeParse(ReadyLine, value);
  if (!ready.success) throw failure('what podd said is no ready line', NOT_ENDED, stderr);
  const { pod, pid, socket, sessionId, epoch } = ready.output;
  return { pod, pid, socket, sessionId, epoch };
}

function describeEnd(end: End, stderr: string): PodError {
  const own = stderr.trim().replace(/^podd: /, '');
  if (end.cause !== undefined)
    return failure(`podd can't be started: ${end.cause.message}`, end, stderr);
  if (own !== '') return failure(own, end, stderr);
  const how = end.signal === null ? `with ${end.exitCode ?? 0}` : `by ${end.signal}`;
  return failure(`podd ended ${how} before it was ready, and said nothing`, end, stderr);
}

function failure(message: string, { cause, exitCode, signal }: End, stderr: string): PodError {
  const data: FailedStart = { exitCode, signal, stderr };
  return new PodError('start_failed', message, { cause, data });
}

/** It may clean up after itself; a group of its own is killed whole. */
async function stop(child: ChildProcess, ended: Promise<End>): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const { pid } = child;
  const timer = setTimeout(() => {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It has just ended.
    }
  }, CLIENT_LIMITS.startStopMs);
  await ended;
  clearTimeout(timer);
}

/** Nothing of the child keeps this process. */
function letGo(child: ChildProcess): void {
  for (const stream of child.stdio) stream?.destroy();
  child.unref();
}
