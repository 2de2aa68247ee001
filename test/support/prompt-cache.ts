import { createHash } from 'node:crypto';
import { blocksOf, type MessagesBody } from './messages-api.ts';

/** Of the vendor's page on its cache: blocks looked at before a mark, tokens that are worth keeping, how long. */
const LOOK_BACK_BLOCKS = 20;
const MIN_TOKENS = 1024;
const KEPT_MS = 5 * 60_000;
const BYTES_PER_TOKEN = 4;

/** Tokens of one prompt: read from the cache, written to it, and neither. They sum up to the prompt. */
export type CacheUse = { readonly read: number; readonly write: number; readonly fresh: number };

/**
 * The provider's prompt cache, as its bill shows it: what lies before a mark is kept, and found again by a later request
 * that has a mark there or at most 20 blocks behind.
 */
export class PromptCache {
  readonly #now: () => number;
  /** Prefixes by their hash, with the time they are kept until. */
  readonly #kept = new Map<string, number>();

  constructor(now: () => number = () => 0) {
    this.#now = now;
  }

  use(body: MessagesBody): CacheUse {
    const blocks = prefixesOf(body);
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

type Prefix = { readonly hash: string; readonly tokens: number; readonly isMarked: boolean };

/** Every block with the hash, and the tokens, of all that comes up to it. */
function prefixesOf(body: MessagesBody): Prefix[] {
  const prefixes: Prefix[] = [];
  const head = { model: body['model'], thinking: body['thinking'] ?? null };
  let hash = createHash('sha256').update(JSON.stringify(head)).digest('hex');
  let bytes = 0;
  const add = (place: string, block: Readonly<Record<string, unknown>>): void => {
    const { cache_control: mark, ...rest } = block;
    const text = JSON.stringify(rest);
    hash = createHash('sha256').update(`${hash}${place}${text}`).digest('hex');
    bytes += Buffer.byteLength(text);
    prefixes.push({
      hash,
      tokens: Math.ceil(bytes / BYTES_PER_TOKEN),
      isMarked: mark !== undefined,
    });
  };
  for (const tool of body.tools ?? []) add('tool', tool);
  for (const block of body.system ?? []) add('system', block);
  for (const message of body.messages ?? [])
    for (const block of blocksOf(message)) add(message.role, block);
  return prefixes;
}
