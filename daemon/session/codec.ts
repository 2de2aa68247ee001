import * as v from 'valibot';
import { entryHash } from '../core/ids.ts';
import type { ChainHead, ChainLink } from '../core/entry-chain.ts';
import { ok, refuse, type Result } from '../core/result.ts';

const HASH_BYTES = 32;

/** An entry's payload: its JSON, in UTF-8. */
export function encodeEntry(entry: { readonly kind: string }): Uint8Array {
  return Buffer.from(JSON.stringify(entry), 'utf8');
}

/** Reads a payload whose hash was verified; `kinds` is the table of its log. */
export function decodeEntry<E extends { readonly kind: string }>(
  payload: Uint8Array,
  kinds: Readonly<Record<E['kind'], true>>,
): Result<E, string> {
  const parsed = parseObject(payload);
  if (parsed === null) return refuse('it is not a JSON object');
  const kind = parsed['kind'];
  if (typeof kind !== 'string' || !Object.hasOwn(kinds, kind))
    return refuse(
      `it is of kind ${JSON.stringify(kind)}, which this version of podd does not know`,
    );
  // The bytes are those that podd wrote, by their hash, and it wrote entries of this kind.
  return ok(parsed as E);
}

/** A stored value: the entry's hash, then its payload, byte for byte. */
export function encodeLink(link: ChainLink): Uint8Array {
  return Buffer.concat([Buffer.from(link.hash, 'hex'), link.payload]);
}

export function decodeLink(value: Uint8Array): Result<ChainLink, string> {
  if (value.length <= HASH_BYTES) return refuse('it is cut off');
  const hash = Buffer.from(value.subarray(0, HASH_BYTES)).toString('hex');
  return ok({ hash: entryHash(hash), payload: value.subarray(HASH_BYTES) });
}

/** A head as it is stored. `others` are the fields that are not the chain's: they are written back as they were. */
export type HeadRecord = {
  readonly head: ChainHead;
  readonly others: Readonly<Record<string, unknown>>;
};

const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const Head = v.object({
  count,
  bytes: count,
  hash: v.nullable(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))),
});

export function encodeHead({ head, others }: HeadRecord): Uint8Array {
  const { count, bytes, hash } = head;
  return Buffer.from(JSON.stringify({ ...others, count, bytes, hash }), 'utf8');
}

export function decodeHead(value: Uint8Array): Result<HeadRecord, string> {
  const raw = parseObject(value);
  const parsed = v.safeParse(Head, raw);
  if (raw === null || !parsed.success) return refuse('its head record is damaged');
  const { count, bytes, hash } = parsed.output;
  const others = Object.fromEntries(
    Object.entries(raw).filter(([key]) => !Object.hasOwn(Head.entries, key)),
  );
  return ok({ head: { count, bytes, hash: hash === null ? null : entryHash(hash) }, others });
}

function parseObject(bytes: Uint8Array): Record<string, unknown> | null {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return null;
    return parsed as Record<string, unknown>;
  } catch {
    // A parse error says nothing that the caller's message, which names log and entry, does not.
    return null;
  }
}
