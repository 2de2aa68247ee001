import { lstat } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { connect } from '../connect.ts';
import { findSocket } from '../find-pods.ts';
import { CLIENT_LIMITS } from '../limits.ts';
import { PodError } from '../pod-error.ts';
import { EXIT, type Shell } from './shell.ts';

export type StopOptions = {
  readonly pod: string;
  /** `graceful` lets the run end, `now` cancels it. */
  readonly mode: 'graceful' | 'now';
  readonly format: 'text' | 'json';
};

/** Stops the Pod and waits until its socket is gone: then the next one of that name can start. */
export async function stopCommand(shell: Shell, options: StopOptions): Promise<number> {
  const { mode } = options;
  const socket = findSocket(options.pod, shell);
  const limitMs = mode === 'now' ? CLIENT_LIMITS.stopNowMs : CLIENT_LIMITS.stopGracefulMs;
  const signal = AbortSignal.timeout(limitMs);
  await using client = await connect(socket);
  const before = await identify(socket);
  try {
    await client.request('Shutdown', { mode }, { deadlineMs: limitMs });
    if (before !== '') await gone(socket, before, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new PodError('no_answer', `it has not ended in ${limitMs} ms`, { cause: error });
  }
  const { out } = shell;
  out.write(
    options.format === 'json'
      ? `${JSON.stringify({ stopped: true, socket })}\n`
      : `Pod ${options.pod} stopped\n`,
  );
  return EXIT.finished;
}

// There is no event for it: a watcher on the folder would be gone with the folder.
async function gone(socket: string, before: string, signal: AbortSignal): Promise<void> {
  while ((await identify(socket)) === before)
    await setTimeout(CLIENT_LIMITS.socketPollMs, undefined, { signal });
}

/** Which socket it is: a supervisor may start the next Pod of that name at once. Empty when there is none. */
async function identify(path: string): Promise<string> {
  try {
    const { ino, ctimeMs } = await lstat(path);
    return `${ino} ${ctimeMs}`;
  } catch {
    return '';
  }
}
