import { InvariantError } from '../core/assert.ts';
import {
  JOURNAL_KINDS,
  SESSION_KINDS,
  type JournalEntry,
  type JournalState,
} from '../core/entry.ts';
import type { SessionEntry } from '../core/entry.ts';
import { EMPTY_CHAIN, followChain, isSameHead } from '../core/entry-chain.ts';
import { Fault } from '../core/fault.ts';
import type { SessionId } from '../core/ids.ts';
import { nextJournalState } from '../core/journal-state.ts';
import type { Result } from '../core/result.ts';
import { SessionProjection } from '../core/session-state.ts';
import { decodeEntry, decodeHead, decodeLink } from './codec.ts';
import {
  ALL_LOGS,
  entryKey,
  entryRange,
  journalLog,
  SESSION_HEADS,
  sessionLog,
  sessionOfHead,
} from './keys.ts';
import { chainNumber, emptyJournal, type LogTail } from './log-tail.ts';
import type { KeyRange, KeyValueStore, StoredValue } from './store.ts';

/** A log as it was read: where it ends, and what its entries add up to. */
export type RestoredLog<S> = { readonly tail: LogTail; readonly state: S };

/** Null state for a store that never held a journal. */
export async function restoreJournal(
  store: KeyValueStore,
): Promise<RestoredLog<JournalState | null>> {
  const stored = await read(store, 'J', 'the journal');
  if (stored === undefined) {
    await mustBeEmpty(store);
    return { tail: emptyJournal(), state: null };
  }
  const record = mustBe(decodeHead(stored), 'the journal');
  const chain = chainNumber(record);
  if (chain < 1) throw corrupt('the journal', 'its head record names no chain');
  const tail = { ...record, place: journalLog(chain) };
  let state: JournalState | null = null;
  await readLog<JournalEntry>(store, tail, JOURNAL_KINDS, (entry) => {
    state = nextJournalState(state, entry);
  });
  return { tail, state };
}

/** A session that was never begun restores as an empty one. */
export async function restoreSession(
  store: KeyValueStore,
  id: SessionId,
): Promise<RestoredLog<SessionProjection>> {
  const place = sessionLog(id);
  const stored = await read(store, place.headKey, place.name);
  if (stored === undefined) throw corrupt(place.name, 'the journal names it, but it is not there');
  const tail = { ...mustBe(decodeHead(stored), place.name), place };
  const session = new SessionProjection(id);
  await readLog<SessionEntry>(store, tail, SESSION_KINDS, (entry) => {
    session.apply(entry);
  });
  return { tail, state: session };
}

/** The entries of a session one by one, as they are read; neither their chain nor their count is checked. */
export async function* sessionEntries(
  store: KeyValueStore,
  id: SessionId,
  { isReversed }: { readonly isReversed: boolean },
  signal: AbortSignal,
): AsyncGenerator<SessionEntry> {
  signal.throwIfAborted();
  const place = sessionLog(id);
  const range = entryRange(place);
  const directed = isReversed ? ({ ...range, isReversed } as const) : range;
  for await (const { value } of readRange(store, directed, place.name)) {
    signal.throwIfAborted();
    const { payload } = mustBe(decodeLink(value), place.name);
    yield mustBe(decodeEntry<SessionEntry>(payload, SESSION_KINDS), place.name);
  }
}

/** Whether the store has a log of that session, whole or damaged. */
export async function hasSession(store: KeyValueStore, id: SessionId): Promise<boolean> {
  const place = sessionLog(id);
  return (await read(store, place.headKey, place.name)) !== undefined;
}

/** The ids of all sessions that have a log, whole or damaged; ascending, which for a Pod's own is by age. */
export async function listSessions(store: KeyValueStore): Promise<SessionId[]> {
  const ids: SessionId[] = [];
  for await (const { key } of readRange(store, SESSION_HEADS, 'the sessions'))
    ids.push(sessionOfHead(key));
  return ids;
}

export function newSession(id: SessionId): RestoredLog<SessionProjection> {
  const tail = { place: sessionLog(id), head: EMPTY_CHAIN, others: {} };
  return { tail, state: new SessionProjection(id) };
}

/** Whether the store's copy of a log still ends where ours does. Rejects if the store can't be read. */
export async function endsAt(store: KeyValueStore, tail: LogTail): Promise<boolean> {
  const stored = await store.get(tail.place.headKey);
  if (stored === undefined) return tail.head.count === 0;
  const record = decodeHead(stored);
  return (
    record.ok &&
    isSameHead(record.value.head, tail.head) &&
    chainNumber(record.value) === chainNumber(tail)
  );
}

// Entries are applied as they come, so that a long log is never held whole.
async function readLog<E extends { readonly kind: string }>(
  store: KeyValueStore,
  { place, head: expected }: LogTail,
  kinds: Readonly<Record<E['kind'], true>>,
  apply: (entry: E) => void,
): Promise<void> {
  let head = EMPTY_CHAIN;
  for await (const { key, value } of readRange(store, entryRange(place), place.name)) {
    const seq = head.count;
    if (key !== entryKey(place, seq)) throw corrupt(place.name, `entry ${seq} is missing`);
    const link = mustBe(decodeLink(value), place.name, seq);
    head = mustBe(followChain(head, link), place.name, seq);
    const entry = mustBe(decodeEntry<E>(link.payload, kinds), place.name, seq);
    try {
      apply(entry);
    } catch (cause) {
      // The projection's promise is about what podd stores; what is on disk may be anybody's.
      if (!(cause instanceof InvariantError)) throw cause;
      throw corrupt(place.name, cause.message, seq, cause);
    }
  }
  if (!isSameHead(head, expected))
    throw corrupt(
      place.name,
      `it holds ${head.count} entries where its head record counts ${expected.count}, or ends in another one`,
    );
}

async function* readRange(
  store: KeyValueStore,
  range: KeyRange,
  log: string,
): AsyncGenerator<StoredValue> {
  try {
    yield* store.read(range);
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    throw corrupt(log, 'its entries cannot be read', undefined, cause);
  }
}

async function read(
  store: KeyValueStore,
  key: string,
  log: string,
): Promise<Uint8Array | undefined> {
  try {
    return await store.get(key);
  } catch (cause) {
    throw corrupt(log, 'its head record cannot be read', undefined, cause);
  }
}

// Logs without the journal's head are what is left of a store, not a fresh one.
async function mustBeEmpty(store: KeyValueStore): Promise<void> {
  for (const range of ALL_LOGS)
    for await (const { key } of store.read(range))
      throw corrupt('the journal', `its head record is missing, though there is ${key}`);
}

function mustBe<T>(result: Result<T, string>, log: string, seq?: number): T {
  if (result.ok) return result.value;
  throw corrupt(log, result.error, seq);
}

function corrupt(log: string, says: string, seq?: number, cause?: unknown): Fault {
  const where = seq === undefined ? log : `${log}, entry ${seq}`;
  return new Fault(
    'store_corrupt',
    `the session store is damaged: ${where}: ${says}; restore the store from a copy`,
    { cause, data: { log, ...(seq === undefined ? {} : { seq }) } },
  );
}
