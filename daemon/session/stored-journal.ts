import type { Numbered } from '../../protocol/events.ts';
import { InvariantError } from '../core/assert.ts';
import type { JournalState, TimedUsage } from '../core/entry.ts';
import { EntryOrder } from '../core/entry-order.ts';
import { Fault } from '../core/fault.ts';
import type { EntryHash, RunId, SessionId } from '../core/ids.ts';
import { LIMITS } from '../core/limits.ts';
import { SessionProjection, type SessionState } from '../core/session-state.ts';
import type { Clock } from '../ports/clock.ts';
import type { Batch, Journal, StoredRunEnd, UsagePage } from '../ports/journal.ts';
import type { Log } from '../ports/log.ts';
import { deferred, type Deferred } from '../support/deferred.ts';
import {
  batchBytes,
  encodeBatch,
  planCommit,
  type Durable,
  type EncodedBatch,
} from './plan-commit.ts';
import { findRunEnd, readPastSession, readUsage } from './past-sessions.ts';
import { endsAt } from './restore.ts';
import type { KeyValueStore, StoreOperation } from './store.ts';

/** A commit that is not answered yet. */
type Pending = {
  readonly encoded: EncodedBatch;
  readonly bytes: number;
  readonly since: number;
  readonly timer: NodeJS.Timeout;
  readonly answer: Deferred<null>;
};

export type StoredJournalParts = {
  readonly store: KeyValueStore;
  readonly durable: Durable;
  readonly session: SessionProjection;
  readonly clock: Clock;
  readonly publish: (events: readonly Numbered[]) => void;
  readonly log: Log;
};

/**
 * The journal above a store. One write is under way at a time; what is committed meanwhile goes into the next one
 * together. Memory follows the disk, never the other way: a write that fails leaves everything as it was, and the
 * store is asked where it ends before the next. Once that can't be told any more, or the disk did not answer, nothing
 * is written again. A batch of events alone needs no disk: it keeps its place, and a broken journal still publishes it.
 */
export class StoredJournal implements Journal, AsyncDisposable {
  readonly #parts: StoredJournalParts;
  #durable: Durable;
  #session: SessionProjection;
  #state: JournalState;
  #waiting: Pending[] = [];
  #waitingBytes = 0;
  #writing: readonly Pending[] = [];
  #pump: Promise<void> | null = null;
  /** A write failed, and may be on disk all the same. */
  #inDoubt = false;
  #broken: Error | null = null;
  /** Settles when a write is given up; whoever waits for the pump stops waiting then. */
  readonly #abandoned = deferred<'abandoned'>();
  #closed: Promise<void> | null = null;

  constructor(parts: StoredJournalParts) {
    this.#parts = parts;
    this.#durable = parts.durable;
    this.#session = parts.session;
    this.#state = parts.durable.state;
  }

  async commit(batch: Batch): Promise<void> {
    const encoded = encodeBatch(batch);
    const bytes = batchBytes(encoded);
    if (this.#closed !== null) throw new Fault('storage_error', 'the session store is closed');
    if (this.#broken !== null && bytes > 0) throw this.#broken;
    if (
      this.#waiting.length >= LIMITS.commitQueue ||
      this.#waitingBytes + bytes > LIMITS.commitQueueBytes
    )
      throw new Fault(
        'storage_error',
        `the disk does not keep up: ${this.#waiting.length} batches (${this.#waitingBytes} bytes) wait for it`,
      );
    const answer = deferred<null>();
    const timer = setTimeout(() => {
      this.#giveUp();
    }, LIMITS.commitMs);
    const since = this.#parts.clock.now();
    this.#waiting.push({ encoded, bytes, since, timer, answer });
    this.#waitingBytes += bytes;
    // After a write was given up its pump never ends, and there is nothing left to wait for.
    if (this.#broken !== null) this.#settle(this.#takeAll(), this.#broken);
    else this.#pump ??= this.#writeAll();
    await answer.promise;
  }

  session(): SessionState {
    return this.#session;
  }

  state(): JournalState {
    return this.#state;
  }

  headHash(): EntryHash | null {
    return this.#durable.session.head.hash;
  }

  async runEnd(session: SessionId, run: RunId, signal: AbortSignal): Promise<StoredRunEnd> {
    return await findRunEnd(this.#parts.store, session, run, signal);
  }

  async usage(page: UsagePage, signal: AbortSignal): Promise<readonly TimedUsage[]> {
    // The live one has no log before its first run.
    if (page.session === this.#session.sessionId && !this.#session.begun) return [];
    return await readUsage(this.#parts.store, page, signal);
  }

  async pastSession(id: SessionId, signal: AbortSignal): Promise<SessionState> {
    return await readPastSession(this.#parts.store, id, signal);
  }

  size(): ReturnType<Journal['size']> {
    const { session, journal } = this.#durable;
    return {
      sessionEntries: session.head.count,
      sessionBytes: session.head.bytes,
      journalEntries: journal.head.count,
      journalBytes: journal.head.bytes,
    };
  }

  committingSince(): number | null {
    return (this.#writing[0] ?? this.#waiting[0])?.since ?? null;
  }

  /** Takes no more, waits for what was taken, closes the store. Idempotent: a second close waits for the first. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const how = await Promise.race([this.#pump, this.#abandoned.promise]);
    if (how === 'abandoned') {
      // Closing would wait for the write that hangs. The kernel takes the store back when the process ends.
      this.#parts.log.warn('the session store is left open: a write to it hangs');
      return;
    }
    await this.#parts.store[Symbol.asyncDispose]();
  }

  async #writeAll(): Promise<void> {
    // One turn later, so that what is committed in the same tick shares a write.
    await Promise.resolve();
    while (this.#waiting.length > 0) await this.#writeGroup(this.#takeGroup());
    this.#pump = null;
  }

  async #writeGroup(group: readonly Pending[]): Promise<void> {
    this.#writing = group;
    try {
      if (this.#broken !== null) throw this.#broken;
      const order = EntryOrder.after(this.#session);
      const plan = planCommit(this.#durable, order, group, this.#parts.clock.now());
      for (const { batch, error } of plan.refused) reject(batch, error);
      if (plan.operations.length > 0) await this.#write(plan.operations);
      // A write that was given up has been answered, whatever became of it.
      if (this.#writing !== group) return;
      this.#durable = plan.after;
      for (const { batch, state } of plan.fitting) this.#apply(batch, state);
      this.#writing = [];
    } catch (error) {
      if (this.#writing !== group) return;
      if (!(error instanceof Fault)) this.#broken ??= toError(error);
      this.#settle(group, this.#broken ?? toError(error));
    }
  }

  /** Throws a Fault. If nothing may be written after it, the journal is broken from here on. */
  async #write(operations: readonly StoreOperation[]): Promise<void> {
    const { store } = this.#parts;
    try {
      if (this.#inDoubt) {
        const { session, journal } = this.#durable;
        if ((await endsAt(store, journal)) && (await endsAt(store, session))) this.#inDoubt = false;
        else this.#broken ??= strayed();
      }
      if (this.#broken === null) await store.write(operations);
    } catch (cause) {
      this.#inDoubt = true;
      throw new Fault(
        'storage_error',
        'the session store could not be written: check that its disk has space; nothing of this was stored',
        { cause },
      );
    }
    if (this.#broken !== null) throw this.#broken;
  }

  // The projections and the readers of events change in one tick: nobody sees one without the other.
  #apply(pending: Pending, state: JournalState): void {
    try {
      if (this.#broken !== null) throw this.#broken;
      const entries = pending.encoded.batch.session ?? [];
      const [first] = entries;
      const { sessionId } = this.#session;
      const session =
        first?.kind === 'session_start' && first.sessionId !== sessionId
          ? new SessionProjection(first.sessionId)
          : this.#session;
      for (const entry of entries) session.apply(entry);
      this.#session = session;
      this.#state = state;
      this.#publish(pending);
      resolve(pending);
    } catch (error) {
      // The batch is on disk, yet not everything here followed: what comes after would build on a false state.
      this.#broken ??= toError(error);
      reject(pending, this.#broken);
    }
  }

  #publish({ encoded }: Pending): void {
    const { events = [] } = encoded.batch;
    if (events.length > 0) this.#parts.publish(events);
  }

  /** Answers without the disk: entries are refused, events alone are published, in their order. */
  #settle(group: readonly Pending[], why: Error): void {
    this.#writing = [];
    for (const pending of group) {
      try {
        if (pending.bytes > 0) throw why;
        this.#publish(pending);
        resolve(pending);
      } catch (error) {
        reject(pending, toError(error));
      }
    }
  }

  /** The oldest commit is past its deadline. Its write may still land, so nothing may follow it. */
  #giveUp(): void {
    if (this.#broken === null)
      this.#parts.log.error('a write to the session store hangs; it takes nothing more', {
        limitMs: LIMITS.commitMs,
      });
    this.#broken ??= new Fault(
      'storage_error',
      `the disk did not take a write within ${LIMITS.commitMs} ms; whether it is stored shows when the Pod is restarted`,
    );
    this.#settle([...this.#writing, ...this.#takeAll()], this.#broken);
    this.#abandoned.resolve('abandoned');
  }

  // A write is at most about as large as the largest entry, however much waits.
  #takeGroup(): readonly Pending[] {
    let bytes = 0;
    const end = this.#waiting.findIndex((pending, index) => {
      bytes += pending.bytes;
      return index > 0 && bytes > LIMITS.entryBytes;
    });
    const group = this.#waiting.splice(0, end === -1 ? this.#waiting.length : end);
    for (const pending of group) this.#waitingBytes -= pending.bytes;
    return group;
  }

  #takeAll(): readonly Pending[] {
    this.#waitingBytes = 0;
    return this.#waiting.splice(0);
  }
}

function resolve(pending: Pending): void {
  clearTimeout(pending.timer);
  pending.answer.resolve(null);
}

function reject(pending: Pending, why: Error): void {
  clearTimeout(pending.timer);
  pending.answer.reject(why);
}

function strayed(): Fault {
  return new Fault(
    'storage_error',
    'the session store does not end where this Pod left it: restart the Pod to go on from what is stored',
  );
}

function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new InvariantError(`thrown: ${String(thrown)}`);
}
