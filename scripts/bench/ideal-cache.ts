import type { MessagesBody } from '../../test/support/messages-api.ts';
import { type CacheUse, KEPT_MS, MIN_TOKENS, prefixesOf } from '../../test/support/prompt-cache.ts';

/**
 * What no client of the provider's cache can beat by where it puts its marks: as if each block of each request had one, and
 * were looked for at any distance. A prefix that any request of the last five minutes had is read at 0.1; all that is new
 * is written, once, at 1.25. It shares the provider's least size: a prefix below 1,024 tokens is never kept, so what a request
 * has in one is paid at 1. It does not know what comes: it also writes what nobody will read again, as podd does. All
 * requests are those that podd really sent, so what it sends in vain, or sends otherwise than before, is not held against it here.
 */
export class IdealCache {
  readonly #now: () => number;
  readonly #kept = new Map<string, number>();

  constructor(now: () => number = () => 0) {
    this.#now = now;
  }

  use(body: MessagesBody): CacheUse {
    const blocks = prefixesOf(body);
    const now = this.#now();
    const hit = blocks.findLast(({ hash }) => (this.#kept.get(hash) ?? 0) > now);
    for (const { hash, tokens } of blocks)
      if (tokens >= MIN_TOKENS) this.#kept.set(hash, now + KEPT_MS);
    const all = blocks.at(-1)?.tokens ?? 0;
    const read = hit?.tokens ?? 0;
    if (all < MIN_TOKENS) return { read: 0, write: 0, fresh: all };
    return { read, write: all - read, fresh: 0 };
  }
}
