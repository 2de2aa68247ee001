import { EMPTY_CHAIN, extendChain } from '../core/entry-chain.ts';
import { encodeHead, encodeLink, type HeadRecord } from './codec.ts';
import { entryKey, journalLog, type LogPlace } from './keys.ts';
import type { StoreOperation } from './store.ts';

/** The end of one log, as it is on disk: what the next entry is chained to. */
export type LogTail = HeadRecord & { readonly place: LogPlace };

/** What a write has to do, and the tail once it did. */
export type AppendPlan = {
  readonly operations: readonly StoreOperation[];
  readonly tail: LogTail;
};

/** Pure. Entries and their head belong into one write: without the other, each of them is damage. */
export function planAppend(tail: LogTail, payloads: readonly Uint8Array[]): AppendPlan {
  if (payloads.length === 0) return { operations: [], tail };
  const operations: StoreOperation[] = [];
  let { head } = tail;
  for (const payload of payloads) {
    const next = extendChain(head, payload);
    const value = encodeLink({ hash: next.hash, payload });
    operations.push({ kind: 'put', key: entryKey(tail.place, head.count), value });
    head = next;
  }
  const after = { ...tail, head };
  operations.push({ kind: 'put', key: tail.place.headKey, value: encodeHead(after) });
  return { operations, tail: after };
}

/** The journal's tail before its first entry. */
export function emptyJournal(): LogTail {
  return { place: journalLog(1), head: EMPTY_CHAIN, others: { chain: 1 } };
}

/**
 * Pure. Drops the journal's entries and begins its next chain, still without an entry: to be written with its first,
 * which has so many bytes.
 */
export function planNewChain(tail: LogTail, start: number): AppendPlan {
  const chain = chainNumber(tail) + 1;
  const operations: StoreOperation[] = [];
  for (let seq = 0; seq < tail.head.count; seq += 1)
    operations.push({ kind: 'remove', key: entryKey(tail.place, seq) });
  return {
    operations,
    tail: { place: journalLog(chain), head: EMPTY_CHAIN, others: { ...tail.others, chain, start } },
  };
}

/** 0 where a head record has none. */
export function chainNumber(record: HeadRecord): number {
  return numberIn(record, 'chain');
}

/** Bytes of the state that the chain begins with; 0 for a store's first. */
export function startBytes(record: HeadRecord): number {
  return numberIn(record, 'start');
}

function numberIn({ others }: HeadRecord, name: string): number {
  const value = others[name];
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : 0;
}
