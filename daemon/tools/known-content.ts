import { createHash } from 'node:crypto';
import { LIMITS } from '../core/limits.ts';
import { ok, refuse } from '../core/result.ts';
import type { Result } from '../core/result.ts';
import type { OpenedFile } from '../ports/files.ts';
import type { ToolPorts } from '../ports/tool.ts';

export type KnownContent = { readonly bytes: Uint8Array; readonly hash: string };

/**
 * The content of a file that may be changed: one that was read or written in this line of sessions and is still as
 * it was then. Else why not, in words for a model.
 */
export async function readKnown(
  file: OpenedFile,
  { asked, knownHash }: { readonly asked: string; readonly knownHash: ToolPorts['knownHash'] },
  signal: AbortSignal,
): Promise<Result<KnownContent, string>> {
  const tooLarge = `${asked} is too large to change: the most is ${LIMITS.editableFileBytes} bytes`;
  if (file.bytes > LIMITS.editableFileBytes) return refuse(tooLarge);
  const known = knownHash(file.path);
  if (known === undefined)
    return refuse(`${asked} exists and was not read in this session: Read it first`);
  const chunks: Uint8Array[] = [];
  const hash = createHash('sha256');
  let length = 0;
  for await (const chunk of file.chunks(signal)) {
    length += chunk.length;
    if (length > LIMITS.editableFileBytes) return refuse(tooLarge);
    hash.update(chunk);
    chunks.push(chunk);
  }
  const now = hash.digest('hex');
  if (now !== known)
    return refuse(`${asked} changed since it was last read: Read it again, then decide`);
  return ok({ bytes: Buffer.concat(chunks), hash: now });
}

export function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
