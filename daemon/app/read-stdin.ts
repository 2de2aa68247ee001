import { createReadStream, constants, fstatSync, openSync, read } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { isatty, ReadStream } from 'node:tty';
import { LIMITS } from '../core/limits.ts';
import { ok, refuse, type Result } from '../core/result.ts';
import { decodeUtf8 } from '../core/utf8.ts';
import { waitOrAbandon } from '../support/abandon.ts';

export type StdinOptions = { readonly fd: number; readonly limitMs: number };

/**
 * All of stdin as text. Not by `process.stdin`, which would make a pipe non-blocking for its other users too. The
 * refusal is the rest of a sentence about it. What is given up is left: no thread waits in a read of it.
 */
export async function readStdin(
  signal: AbortSignal,
  { fd, limitMs }: StdinOptions = { fd: 0, limitMs: LIMITS.stdinMs },
): Promise<Result<string, string>> {
  const late = AbortSignal.timeout(limitMs);
  let stream: Readable | undefined;
  try {
    stream = openStream(fd);
    return await waitOrAbandon(waitOrAbandon(readAll(stream), late, 0), signal, 0);
  } catch (error) {
    if (signal.aborted) throw error;
    if (late.aborted) return refuse(`did not end within ${limitMs} ms`);
    const why = error instanceof Error ? error.message : String(error);
    return refuse(`can't be read (${why})`);
  } finally {
    // An error that comes after the end is of nobody's interest.
    stream?.on('error', () => undefined).destroy();
  }
}

/** By what it is: only files, which are there or not, are read by a thread that waits. */
function openStream(fd: number): Readable {
  const stat = fstatSync(fd);
  if (stat.isFIFO()) return new Socket({ fd: openAgain(fd), writable: false });
  // It has no name to open it by again; the other end is another process's.
  if (stat.isSocket()) return new Socket({ fd, writable: false });
  if (stat.isCharacterDevice() && isatty(fd)) return new ReadStream(openAgain(fd));
  // Not closed: its number would be the next file's.
  return createReadStream('', { fd, autoClose: false, fs: { read, close: keepOpen } });
}

/** A description of its own, so that to read it without blocking changes nothing for others. */
function openAgain(fd: number): number {
  return openSync(
    `/proc/self/fd/${fd}`,
    constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY,
  );
}

function keepOpen(_fd: number, done?: (error?: null) => void): void {
  done?.(null);
}

async function readAll(stream: Readable): Promise<Result<string, string>> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    const piece = chunk as Uint8Array;
    bytes += piece.length;
    if (bytes > LIMITS.manifestBytes) return refuse(`has more than ${LIMITS.manifestBytes} bytes`);
    chunks.push(piece);
  }
  const text = decodeUtf8(Buffer.concat(chunks));
  return text === null ? refuse('is not UTF-8') : ok(text);
}
