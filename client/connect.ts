import { createConnection } from 'node:net';
import type { Socket } from 'node:net';
import { CLIENT_LIMITS } from './limits.ts';
import { PodClient } from './pod-client.ts';
import { PodError } from './pod-error.ts';

export type ConnectOptions = {
  readonly deadlineMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** One connection to the socket at `path`. Throws as `dial` does. */
export async function connect(path: string, options: ConnectOptions = {}): Promise<PodClient> {
  return new PodClient(await dial(path, options));
}

/** The bare socket. Throws `unreachable` when nobody serves there, `no_answer` at the deadline. */
export async function dial(path: string, options: ConnectOptions = {}): Promise<Socket> {
  options.signal?.throwIfAborted();
  const deadlineMs = options.deadlineMs ?? CLIENT_LIMITS.connectMs;
  const socket = createConnection({ path });
  try {
    await connected(socket, path, { deadlineMs, signal: options.signal });
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return socket;
}

type Waiting = { readonly deadlineMs: number; readonly signal: AbortSignal | undefined };

async function connected(socket: Socket, path: string, waiting: Waiting): Promise<void> {
  const { deadlineMs, signal } = waiting;
  let cleanUp = (): void => undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new PodError('no_answer', `${path} took no connection in ${deadlineMs} ms`));
      }, deadlineMs);
      const onAbort = (): void => {
        reject(reasonOf(signal));
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      socket.once('connect', resolve);
      socket.once('error', (error) => {
        reject(unreachable(path, error));
      });
      cleanUp = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        socket.removeAllListeners('error').removeAllListeners('connect');
        // Between here and the owner's own listener an error must not become an uncaught one.
        socket.on('error', () => undefined);
      };
    });
  } finally {
    cleanUp();
  }
}

function reasonOf(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new PodError('no_answer', 'aborted');
}

const SAYS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no socket',
  ENOTDIR: 'there is no socket',
  ECONNREFUSED: 'the Pod died, nobody serves its socket file',
  EACCES: 'the socket belongs to another user',
  ENOTSOCK: 'that file is no socket',
  EPROTOTYPE: 'that file is no stream socket',
};

function unreachable(path: string, error: Error): PodError {
  const code = 'code' in error ? String(error.code) : '';
  const why = SAYS[code] ?? `connecting failed (${code === '' ? error.message : code})`;
  return new PodError('unreachable', `${why} at ${path}`, { cause: error, data: { code } });
}
