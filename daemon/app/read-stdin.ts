import { createReadStream, read, type ReadStream } from 'node:fs';
import { LIMITS } from '../core/limits.ts';
import { refuse, type Result, ok } from '../core/result.ts';
import { decodeUtf8 } from '../core/utf8.ts';
import { waitOrAbandon } from '../support/abandon.ts';

export type StdinOptions = { readonly fd: number; readonly limitMs: number };

/**
 * All of stdin as text. Not by `process.stdin`, which would make a pipe non-blocking for its other users too. The
 * refusal is the rest of a sentence about it.
 */
export async function readStdin(
  signal: AbortSignal,
  { fd, limitMs }: StdinOptions = { fd: 0, limitMs: LIMITS.stdinMs },
): Promise<Result<string, string>> {
  const late = AbortSignal.timeout(limitMs);
  const stream = createReadStream('', { fd, autoClose: false, fs: { read, close: keepOpen } });
  try {
    return await waitOrAbandon(waitOrAbandon(readAll(stream), late, 0), signal, 0);
  } catch (error) {
    if (signal.aborted) throw error;
    if (late.aborted) return refuse(`did not end within ${limitMs} ms`);
    const why = error instanceof Error ? error.message : String(error);
    return refuse(`can't be read (${why})`);
  } finally {
    stream.destroy();
  }
}

// A descriptor that is closed is the next file's number.
function keepOpen(_fd: number, done?: (error?: null) => void): void {
  done?.(null);
}

async function readAll(stream: ReadStream): Promise<Result<string, string>> {
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
