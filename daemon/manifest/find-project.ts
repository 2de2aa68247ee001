import { constants } from 'node:fs';
import { open, readlink, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sha256 } from '../../protocol/trust.ts';
import { LIMITS } from '../core/limits.ts';
import { ok, refuse, type Result } from '../core/result.ts';
import { decodeUtf8 } from '../core/utf8.ts';

/** A manifest that lies in a project's `.podd/`. The bytes that were hashed are those that `text` is of. */
export type FoundProject = {
  /** Canonical: the parent of `.podd/`. */
  readonly root: string;
  readonly file: string;
  readonly text: string;
  readonly sha256: string;
  /** It belongs neither to this user nor to root. */
  readonly isForeign: boolean;
};

/**
 * The nearest `.podd/manifest.toml` from `start` upwards, null if there is none. One that is no regular file of the
 * project itself is refused, not passed over: whoever put it there meant it to be found.
 */
export async function findProject(
  start: string,
  { uid, signal }: { readonly uid: number; readonly signal: AbortSignal },
): Promise<Result<FoundProject | null, string>> {
  let root: string;
  try {
    root = await realpath(start);
  } catch (error) {
    return refuse(`the folder ${start} can't be looked into (${codeOf(error)})`);
  }
  for (;;) {
    signal.throwIfAborted();
    const found = await readProject(root, uid);
    if (!found.ok || found.value !== null) return found;
    const above = dirname(root);
    if (above === root) return ok(null);
    root = above;
  }
}

async function readProject(
  root: string,
  uid: number,
): Promise<Result<FoundProject | null, string>> {
  const file = join(root, '.podd', 'manifest.toml');
  const no = (says: string) => refuse(`manifest ${file} ${says}`);
  try {
    // Opened without blocking, so that a FIFO is told instead of waited on.
    await using handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const opened = await readlink(`/proc/self/fd/${handle.fd}`);
    if (opened !== file) return no(`is a link, to ${opened}: name that file with --manifest`);
    const stat = await handle.stat();
    if (!stat.isFile()) return no('is not a regular file');
    const bytes = await readUpTo(handle, LIMITS.manifestBytes + 1);
    if (bytes.length > LIMITS.manifestBytes)
      return no(`has more than ${LIMITS.manifestBytes} bytes`);
    const text = decodeUtf8(bytes);
    if (text === null) return no('is not UTF-8');
    const isForeign = stat.uid !== uid && stat.uid !== 0;
    return ok({ root, file, text, sha256: sha256(bytes), isForeign });
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return ok(null);
    return no(`can't be read (${code})`);
  }
}

type Handle = Awaited<ReturnType<typeof open>>;

async function readUpTo(handle: Handle, bytesMax: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let left = bytesMax;
  while (left > 0) {
    const piece = new Uint8Array(Math.min(left, 64 * 1024));
    const { bytesRead } = await handle.read(piece, 0, piece.length);
    if (bytesRead === 0) break;
    chunks.push(piece.subarray(0, bytesRead));
    left -= bytesRead;
  }
  return Buffer.concat(chunks);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}
