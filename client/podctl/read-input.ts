import { CLIENT_LIMITS } from '../limits.ts';
import { type Shell, UsageError } from './shell.ts';

/** The text of a run: the words, or stdin for a single `-`. Throws `UsageError` for none, too much, or what is not UTF-8. */
export async function readInput(shell: Shell, words: readonly string[]): Promise<string> {
  const text = words.length === 1 && words[0] === '-' ? await readAll(shell) : words.join(' ');
  if (text.trim() === '') throw new UsageError('there is no text');
  return text;
}

async function readAll({ stdin }: Shell): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stdin) {
    bytes += chunk.length;
    if (bytes > CLIENT_LIMITS.inputBytes)
      throw new UsageError(`stdin has more than ${CLIENT_LIMITS.inputBytes} bytes`);
    chunks.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new UsageError('stdin is not UTF-8 text');
  }
}
