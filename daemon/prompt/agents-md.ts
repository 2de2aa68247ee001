import { join } from 'node:path';
import { LIMITS } from '../core/limits.ts';
import { decodeUtf8 } from '../core/utf8.ts';
import type { Files, OpenedFile } from '../ports/files.ts';

/** `text` is null where there is none to be told of; `warnings` say why, if that is worth a word. */
export type AgentsMd = { readonly text: string | null; readonly warnings: readonly string[] };

/** The AGENTS.md that lies directly in `cwd`, read as the agent could read it: through its scope, and capped. */
export async function readAgentsMd(
  files: Files,
  cwd: string,
  signal: AbortSignal,
): Promise<AgentsMd> {
  const path = join(cwd, 'AGENTS.md');
  const opened = await files.openForRead(path, signal);
  if (!opened.ok) {
    const { kind, says } = opened.error;
    return kind === 'missing' ? { text: null, warnings: [] } : skipped(path, says);
  }
  await using file = opened.value;
  const bytes = await readSome(file, signal);
  const isCut = bytes.length > LIMITS.agentsMdBytes;
  const text = decodeUtf8(isCut ? cutAtCharacter(bytes, LIMITS.agentsMdBytes) : bytes);
  if (text === null) return skipped(path, 'it is not UTF-8');
  if (!isCut) return { text, warnings: [] };
  const mark = `[AGENTS.md is cut here: it has more than ${LIMITS.agentsMdBytes} bytes]`;
  return {
    text: `${text}\n${mark}`,
    warnings: [`${path} is cut to ${LIMITS.agentsMdBytes} bytes`],
  };
}

function skipped(path: string, why: string): AgentsMd {
  return { text: null, warnings: [`${path} is left out of the prompt: ${why}`] };
}

async function readSome(file: OpenedFile, signal: AbortSignal): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of file.chunks(signal)) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > LIMITS.agentsMdBytes) break;
  }
  return Buffer.concat(chunks);
}

/** At most `most` bytes, and no half character at the end of what was whole before. */
function cutAtCharacter(bytes: Uint8Array, most: number): Uint8Array {
  let end = most;
  while (end > most - 4 && isContinuation(bytes[end])) end -= 1;
  return bytes.subarray(0, end);
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0b1100_0000) === 0b1000_0000;
}
