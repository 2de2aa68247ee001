import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { ok, refuse, type Result } from '../core/result.ts';
import { decodeUtf8 } from '../core/utf8.ts';

/**
 * The text of a file that the Pod's owner named: regular, UTF-8, of at most `bytesMax` bytes. The refusal is the
 * rest of a sentence about the file. Opened without blocking, so that a FIFO is told instead of waited on.
 */
export async function readTextFile(
  path: string,
  bytesMax: number,
): Promise<Result<string, string>> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = await file.stat();
    if (stat.isDirectory()) return refuse('is a directory, not a file');
    if (!stat.isFile()) return refuse('is not a regular file');
    // One more than allowed: a file may grow between the look and the read.
    const bytes = new Uint8Array(Math.min(stat.size, bytesMax) + 1);
    let filled = 0;
    while (filled < bytes.length) {
      const { bytesRead } = await file.read(bytes, filled, bytes.length - filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    if (stat.size > bytesMax || filled > bytesMax) return refuse(`has more than ${bytesMax} bytes`);
    if (filled > stat.size) return refuse('grew while it was read');
    const text = decodeUtf8(bytes.subarray(0, filled));
    return text === null ? refuse('is not UTF-8') : ok(text);
  } catch (error) {
    return refuse(sayOpenError(error));
  }
}

function sayOpenError(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
  switch (code) {
    case 'ENOENT':
      return 'does not exist';
    case 'EACCES':
    case 'EPERM':
      return 'may not be read';
    default:
      return `can't be read (${code})`;
  }
}
