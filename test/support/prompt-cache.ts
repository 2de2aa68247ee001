import { createHash } from 'node:crypto';
import { blocksOf, type MessagesBody } from './messages-api.ts';

/** Of the vendor's page on its cache: blocks looked at before a mark, tokens that are worth keeping, how long. */
const LOOK_BACK_BLOCKS = 20;
export const MIN_TOKENS = 1024;
export const KEPT_MS = 5 * 60_000;
const BYTES_PER_TOKEN = 4;

/** Tokens of a block, whole or not. */
export type CountTokens = (text: string) => number;

function byBytes(text: string): number {
  return Buffer.byteLength(text) / BYTES_PER_TOKEN;
}

/** Tokens of one prompt: read from the cache, written to it, and neither. They sum up to the prompt. */
export type CacheUse = { readonly read: number; readonly write: number; readonly fresh: number };

/** Of the vendor's price list, in prices of a token that is neither read nor written. */
export function costOf({ read, write, fresh }: CacheUse): number {
  return 0.1 * read + 1.25 * write + fresh;
}

/** The same request with a single mark, at its end: what one writes first. */
export function withRollingMark(body: MessagesBody): MessagesBody {
  const bare = JSON.parse(
    JSON.stringify(body, (key, value: unknown) => (key === 'cache_control' ? undefined : value)),
  ) as { messages: { content: Record<string, unknown>[] }[] };
  const last = bare.messages.at(-1)?.content.at(-1);
  if (last !== undefined) last['cache_control'] = { type: 'ephemeral' };
  return bare as unknown as MessagesBody;
}

/**
 * The provider's prompt cache, as its bill shows it: what lies before a mark is kept, and found again by a later request
 * that has a mark there or at most 20 blocks behind.
 */
export class PromptCache {
  readonly #now: () => number;
  readonly #count: CountTokens;
  /** Prefixes by their hash, with the time they are kept until. */
  readonly #kept = new Map<string, number>();

  constructor(now: () => number = () => 0, count: CountTokens = byBytes) {
    this.#now = now;
    this.#count = count;
  }

  use(body: MessagesBody): CacheUse {
    const blocks = prefixesOf(body, this.#count);
    const marks = blocks.flatMap(({ isMarked }, index) => (isMarked ? [index] : []));
    const now = this.#now();
    let hit = -1;
    for (const mark of marks)
      for (let at = mark; at >= 0 && at > mark - LOOK_BACK_BLOCKS; at -= 1)
        if ((this.#kept.get(blocks[at]?.hash ?? '') ?? 0) > now) {
          hit = Math.max(hit, at);
          break;
        }
    const tokensUpTo = (at: number): number => blocks[at]?.tokens ?? 0;
    const read = tokensUpTo(hit);
    let written = read;
    for (const at of [hit, ...marks.filter((mark) => mark > hit)]) {
      if (at < 0 || tokensUpTo(at) < MIN_TOKENS) continue;
      this.#kept.set(blocks[at]?.hash ?? '', now + KEPT_MS);
      written = Math.max(written, tokensUpTo(at));
    }
    return { read, write: written - read, fresh: tokensUpTo(blocks.length - 1) - written };
  }
}

export type Prefix = { readonly hash: string; readonly tokens: number; readonly isMarked: boolean };

/** Every block with the hash, and the tokens, of all that comes up to it. */
export function prefixesOf(body: MessagesBody, count: CountTokens = byBytes): Prefix[] {
  const prefixes: Prefix[] = [];
  const head = { model: body['model'], thinking: body['thinking'] ?? null };
  let hash = createHash('sha256').update(JSON.stringify(head)).digest('hex');
  let tokens = 0;
  const add = (place: string, block: Readonly<Record<string, unknown>>): void => {
    const { cache_control: mark, ...rest } = block;
    const text = JSON.stringify(rest);
    hash = createHash('sha256').update(`${hash}${place}${text}`).digest('hex');
    tokens += count(text);
    prefixes.push({
      hash,
      tokens: Math.ceil(tokens),
      isMarked: mark !== undefined,
    });
  };
  for (const tool of body.tools ?? []) add('tool', tool);
  for (const block of body.system ?? []) add('system', block);
  for (const message of body.messages ?? [])
    for (const block of blocksOf(message)) add(message.role, block);
  return prefixes;
}
