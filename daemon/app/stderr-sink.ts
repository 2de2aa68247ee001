import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Sink } from './stderr-lines.ts';

export type StderrSink = Disposable & { readonly write: Sink };

const STDERR = 2;
const { O_WRONLY, O_NONBLOCK, O_APPEND, O_NOCTTY } = constants;
/** A reader that lags, or a full disk: what is refused now may be taken later. */
const NOT_NOW = [
  'EAGAIN',
  'EWOULDBLOCK',
  'EINTR',
  'ENOSPC',
  'EDQUOT',
  'EFBIG',
  'ENOBUFS',
  'ENOMEM',
];

/**
 * A way to stderr on which no write waits, or null where there is none. `process.stderr` is not that way: on Linux its
 * writes wait for the reader, and the event loop with them.
 */
export function openStderrSink(fd = STDERR): StderrSink | null {
  try {
    // A file never waits, and its position is shared with whoever else writes there.
    if (fstatSync(fd).isFile()) return sinkOn(fd, () => undefined);
  } catch {
    return null;
  }
  return openAgain(fd) ?? shareUnblocked(fd);
}

/** A description of its own, so that whoever shares the old one keeps it as it is: for pipes and terminals. */
function openAgain(fd: number): StderrSink | null {
  try {
    const flags = O_WRONLY | O_NONBLOCK | O_APPEND | O_NOCTTY;
    const own = openSync(`/proc/self/fd/${fd}`, flags);
    return sinkOn(own, () => {
      closeSync(own);
    });
  } catch {
    return null;
  }
}

/**
 * Sockets, such as systemd's journal or a Node parent, can't be opened again, and another user's pipe may not be.
 * Wrapping one makes the shared description non-blocking; Node puts the flags of stderr back when it exits.
 */
function shareUnblocked(fd: number): StderrSink | null {
  try {
    const socket = new Socket({ fd, readable: false, writable: true });
    socket.on('error', () => undefined);
    return sinkOn(fd, () => {
      socket.destroy();
    });
  } catch {
    // Another user's terminal.
    return null;
  }
}

function sinkOn(fd: number, close: () => void): StderrSink {
  return {
    write: (bytes) => {
      try {
        return writeSync(fd, bytes);
      } catch (error) {
        return NOT_NOW.includes((error as NodeJS.ErrnoException).code ?? '') ? 0 : null;
      }
    },
    [Symbol.dispose]: close,
  };
}
