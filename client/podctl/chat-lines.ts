import { CLIENT_LIMITS } from '../limits.ts';
import { UsageError } from './shell.ts';

/** What a line of a chat asks for. */
export type ChatLine =
  | { readonly kind: 'say'; readonly text: string }
  | { readonly kind: 'cancel' | 'status' | 'quit' | 'nothing' }
  | { readonly kind: 'unknown'; readonly word: string };

/** A line that begins with a slash is a command; with two of them it is a text that begins with one. */
export function parseChatLine(line: string): ChatLine {
  const text = line.trim();
  if (text === '') return { kind: 'nothing' };
  if (text.startsWith('//')) return { kind: 'say', text: text.slice(1) };
  if (!text.startsWith('/')) return { kind: 'say', text };
  const word = text.slice(1);
  if (word === 'cancel' || word === 'status' || word === 'quit') return { kind: word };
  return { kind: 'unknown', word: text };
}

/** Lines of UTF-8 text, also the last one without an end. Throws `UsageError` for what is none. */
export async function* readLines(stdin: AsyncIterable<Uint8Array>): AsyncGenerator<string, void> {
  const utf8 = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  for await (const chunk of stdin) {
    const parts = `${rest}${decode(utf8, chunk)}`.split('\n');
    rest = parts.pop() ?? '';
    yield* parts;
    if (rest.length > CLIENT_LIMITS.chatLineUnits)
      throw new UsageError(`a line has more than ${CLIENT_LIMITS.chatLineUnits} characters`);
  }
  if (rest !== '') yield rest;
}

function decode(utf8: InstanceType<typeof TextDecoder>, chunk: Uint8Array): string {
  try {
    return utf8.decode(chunk, { stream: true });
  } catch {
    throw new UsageError('stdin is not UTF-8 text');
  }
}
