import { createReadStream } from 'node:fs';
import { LIMITS } from '../core/limits.ts';
import { refuse, type Result, ok } from '../core/result.ts';
import { decodeUtf8 } from '../core/utf8.ts';
import { waitOrAbandon } from '../support/abandon.ts';

/**
 * All of stdin as text. Not by `process.stdin`, which would make a pipe non-blocking for its other users too. The
 * refusal is the rest of a sentence about it.
 */
export async function readStdin(signal: AbortSignal): Promise<Result<string, string>> {
  const late = AbortSignal.timeout(LIMITS.stdinMs);
  const reading = read();
  try {
    return await waitOrAbandon(waitOrAbandon(reading, late, 0), signal, 0);
  } catch (error) {
    if (signal.aborted) throw error;
    if (late.aborted) return refuse(`did not end within ${LIMITS.stdinMs} ms`);
    const why = error instanceof Error ? error.message : String(error);
    return refuse(`can't be read (${why})`);
  }
}

async function read(): Promise<Result<string, string>> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of createReadStream('', { fd: 0, autoClose: false })) {
    const piece = chunk as Uint8Array;
    bytes += piece.length;
    if (bytes > LIMITS.manifestBytes) return refuse(`has more than ${LIMITS.manifestBytes} bytes`);
    chunks.push(piece);
  }
  const text = decodeUtf8(Buffer.concat(chunks));
  return text === null ? refuse('is not UTF-8') : ok(text);
}
