import { UsageError } from './usage-error.ts';

/** More than any input that a Pod takes; it says itself what is too long. */
const STDIN_BYTES_MAX = 8 * 1024 * 1024;

/** The words of a command line as one text; a lone `-` stands for stdin. Throws `UsageError` for what is no input. */
export async function readInput(
  words: readonly string[],
  stdin: AsyncIterable<Uint8Array>,
): Promise<string> {
  const fromStdin = words.length === 1 && words[0] === '-';
  const text = fromStdin ? await readAll(stdin) : words.join(' ');
  if (text.trim() === '')
    throw new UsageError('the input is empty: give the agent something to do');
  return text;
}

async function readAll(stdin: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stdin) {
    bytes += chunk.length;
    if (bytes > STDIN_BYTES_MAX)
      throw new UsageError(`the input on stdin is over ${STDIN_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch (cause) {
    throw new UsageError('the input on stdin is not UTF-8 text', { cause });
  }
}
