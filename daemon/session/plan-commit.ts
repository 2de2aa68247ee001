import { invariant, InvariantError } from '../core/assert.ts';
import { STORE_FORMAT, type JournalEntry, type JournalState } from '../core/entry.ts';
import type { EntryOrder } from '../core/entry-order.ts';
import { EMPTY_CHAIN } from '../core/entry-chain.ts';
import { Fault } from '../core/fault.ts';
import type { EntryHash, SessionId } from '../core/ids.ts';
import { nextJournalState, toStoredState } from '../core/journal-state.ts';
import { LIMITS } from '../core/limits.ts';
import { ok, refuse, type Result } from '../core/result.ts';
import type { Batch } from '../ports/journal.ts';
import { encodeEntry } from './codec.ts';
import { sessionLog } from './keys.ts';
import { planAppend, planNewChain, startBytes, type AppendPlan, type LogTail } from './log-tail.ts';
import type { StoreOperation } from './store.ts';

/** A batch whose entries are encoded. */
export type EncodedBatch = {
  readonly batch: Batch;
  readonly session: readonly Uint8Array[];
  readonly journal: readonly Uint8Array[];
};

/** Encoded when it is handed in, so that nothing its caller does later changes what is stored. */
export function encodeBatch(batch: Batch): EncodedBatch {
  const encode = (entry: { readonly kind: string }): Uint8Array => {
    const payload = encodeEntry(entry);
    if (payload.length <= LIMITS.entryBytes) return payload;
    throw new Fault(
      'storage_error',
      `an entry of ${payload.length} bytes (${entry.kind}) is over the limit of ${LIMITS.entryBytes}; nothing of it was stored`,
    );
  };
  return {
    batch,
    session: (batch.session ?? []).map(encode),
    journal: (batch.journal ?? []).map(encode),
  };
}

/** Bytes of the entries; 0 for a batch that only publishes. */
export function batchBytes({ session, journal }: EncodedBatch): number {
  return [...session, ...journal].reduce((sum, payload) => sum + payload.length, 0);
}

/** What is on disk, as far as an append needs it. */
export type Durable = {
  readonly session: LogTail;
  readonly journal: LogTail;
  readonly state: JournalState;
};

/** `state` is the Pod's own, once that batch is durable. `error` is a bug of whoever committed the batch. */
export type CommitPlan<B> = {
  readonly fitting: readonly { readonly batch: B; readonly state: JournalState }[];
  readonly refused: readonly { readonly batch: B; readonly error: InvariantError }[];
  readonly operations: readonly StoreOperation[];
  readonly after: Durable;
};

/** Pure. One write for several batches; a batch that does not fit is left out, the others are planned without it. */
export function planCommit<B extends { readonly encoded: EncodedBatch }>(
  durable: Durable,
  order: EntryOrder,
  batches: readonly B[],
  at: number,
): CommitPlan<B> {
  let ahead = order;
  let state = durable.state;
  const sessions = new SessionAppends(durable.session);
  const fitting: { batch: B; state: JournalState }[] = [];
  const refused: { batch: B; error: InvariantError }[] = [];
  for (const batch of batches) {
    const fits = fit(batch.encoded.batch, ahead, state, () => sessions.head());
    if (!fits.ok) {
      refused.push({ batch, error: fits.error });
      continue;
    }
    const { order: next } = fits.value;
    if (next.sessionId !== ahead.sessionId) sessions.begin(next.sessionId);
    sessions.add(batch.encoded.session);
    ahead = next;
    state = fits.value.state;
    fitting.push({ batch, state });
  }
  const journal = fitting.flatMap(({ batch }) => batch.encoded.journal);
  const sessionPlan = sessions.plan();
  if (sessionPlan.operations.length === 0 && journal.length === 0)
    return { fitting, refused, operations: [], after: durable };
  const journalPlan = planJournal(durable, journal, at);
  return {
    fitting,
    refused,
    operations: [...sessionPlan.operations, ...journalPlan.operations],
    after: { session: sessionPlan.tail, journal: journalPlan.tail, state },
  };
}

/** What is appended to the live session, and to the one that takes its place in the same write. */
class SessionAppends {
  readonly #operations: StoreOperation[] = [];
  #tail: LogTail;
  #payloads: Uint8Array[] = [];

  constructor(tail: LogTail) {
    this.#tail = tail;
  }

  add(payloads: readonly Uint8Array[]): void {
    this.#payloads.push(...payloads);
  }

  begin(id: SessionId): void {
    this.#append();
    this.#tail = { place: sessionLog(id), head: EMPTY_CHAIN, others: {} };
  }

  /** Of what was added so far. */
  head(): EntryHash | null {
    this.#append();
    return this.#tail.head.hash;
  }

  plan(): AppendPlan {
    this.#append();
    return { operations: this.#operations, tail: this.#tail };
  }

  #append(): void {
    const { operations, tail } = planAppend(this.#tail, this.#payloads);
    this.#operations.push(...operations);
    this.#tail = tail;
    this.#payloads = [];
  }
}

type Ahead = { readonly order: EntryOrder; readonly state: JournalState };

function fit(
  { session = [], journal = [] }: Batch,
  before: EntryOrder,
  state: JournalState,
  head: () => EntryHash | null,
): Result<Ahead, InvariantError> {
  try {
    const [first] = session;
    const order =
      first?.kind === 'session_start' && first.sessionId !== before.sessionId
        ? before.successor(first, head())
        : before.fork();
    for (const entry of session) {
      order.take(entry);
      if (entry.kind !== 'session_start') continue;
      // One without the other would be a session that no start finds, or a pointer to nothing.
      const named = journal.some(
        (other) => other.kind === 'session_current' && other.sessionId === entry.sessionId,
      );
      invariant(named, 'session_start without session_current in the same batch');
    }
    return ok({ order, state: journal.reduce<JournalState>(nextJournalState, state) });
  } catch (error) {
    if (error instanceof InvariantError) return refuse(error);
    throw error;
  }
}

function planJournal(durable: Durable, payloads: readonly Uint8Array[], at: number): AppendPlan {
  const { journal: tail, state } = durable;
  // A chain that begins with much is worth more entries, or each of them would copy it.
  const most = LIMITS.journalBytes + 2 * startBytes(tail);
  if (tail.head.hash === null || tail.head.bytes <= most) return planAppend(tail, payloads);
  const start: JournalEntry = {
    kind: 'journal_start',
    at,
    version: STORE_FORMAT,
    state: toStoredState(state),
    continues: tail.head.hash,
  };
  const first = encodeEntry(start);
  const fresh = planNewChain(tail, first.length);
  const appended = planAppend(fresh.tail, [first, ...payloads]);
  return { operations: [...fresh.operations, ...appended.operations], tail: appended.tail };
}
