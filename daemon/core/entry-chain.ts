import { createHash } from 'node:crypto';
import { entryHash, type EntryHash } from './ids.ts';
import { ok, refuse, type Result } from './result.ts';

/**
 * The chain that makes a log one piece: each entry's hash covers its payload and the hash before it, so that a
 * changed, missing, added or moved entry shows. It detects damage; it is no signature.
 */

/** Where a log ends. `bytes` counts payloads; `hash` is null while there is no entry. */
export type ChainHead = {
  readonly count: number;
  readonly bytes: number;
  readonly hash: EntryHash | null;
};

/** An entry as it is stored: the payload's bytes are verified as they are, never parsed and written anew. */
export type ChainLink = { readonly hash: EntryHash; readonly payload: Uint8Array };

export const EMPTY_CHAIN: ChainHead = Object.freeze({ count: 0, bytes: 0, hash: null });

const NO_ENTRY = '0'.repeat(64);

/** SHA-256 of the previous entry's hash (32 zero bytes before the first) followed by the payload. */
export function hashEntry(previous: EntryHash | null, payload: Uint8Array): EntryHash {
  const hash = createHash('sha256');
  hash.update(Buffer.from(previous ?? NO_ENTRY, 'hex'));
  hash.update(payload);
  return entryHash(hash.digest('hex'));
}

/** The head after one more payload; its `hash` is that entry's. */
export function extendChain(head: ChainHead, payload: Uint8Array): ChainHead & { hash: EntryHash } {
  return {
    count: head.count + 1,
    bytes: head.bytes + payload.length,
    hash: hashEntry(head.hash, payload),
  };
}

/** Goes one stored entry further, or says why it can't be the one that follows. */
export function followChain(head: ChainHead, link: ChainLink): Result<ChainHead, string> {
  const next = extendChain(head, link.payload);
  if (next.hash === link.hash) return ok(next);
  return refuse('its hash does not fit its content and the entry before it');
}

export function isSameHead(a: ChainHead, b: ChainHead): boolean {
  return a.count === b.count && a.bytes === b.bytes && a.hash === b.hash;
}
