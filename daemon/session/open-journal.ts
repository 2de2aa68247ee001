import type { Numbered } from '../../protocol/events.ts';
import { invariant } from '../core/assert.ts';
import { type JournalEntry, type SessionEntry, STORE_FORMAT } from '../core/entry.ts';
import { Fault } from '../core/fault.ts';
import { type SessionId, sessionId } from '../core/ids.ts';
import { EMPTY_JOURNAL, nextJournalState, toStoredState } from '../core/journal-state.ts';
import { LIMITS } from '../core/limits.ts';
import { planRecovery } from '../core/recovery.ts';
import type { SessionProjection } from '../core/session-state.ts';
import type { Clock } from '../ports/clock.ts';
import type { Journal, Restored } from '../ports/journal.ts';
import type { Log } from '../ports/log.ts';
import { ignore } from '../support/deferred.ts';
import { encodeEntry } from './codec.ts';
import { type AppendPlan, planAppend } from './log-tail.ts';
import {
  hasSession,
  listSessions,
  newSession,
  restoreJournal,
  restoreSession,
  type RestoredLog,
} from './restore.ts';
import { openStoreFolder } from './store-folder.ts';
import { StoredJournal } from './stored-journal.ts';
import type { KeyValueStore } from './store.ts';

/** `latest` goes on with the session that was live last, if there is one; `id` with an older one. */
export type SessionChoice =
  | { readonly kind: 'latest' }
  | { readonly kind: 'new' }
  | { readonly kind: 'id'; readonly id: string };

export type StartJournalOptions = {
  readonly session: SessionChoice;
  readonly newSessionId: () => SessionId;
  /** The epoch of this start, above the last one that the store has (0 in a fresh store). */
  readonly epochAfter: (last: number) => Promise<number>;
  readonly bootId: string;
  readonly clock: Clock;
  /** Called with each batch's events, in the tick in which the batch became readable. It must not throw. */
  readonly publish: (events: readonly Numbered[]) => void;
  readonly log: Log;
};

/** `folder` is the store's own; it is made, with the folders above it, if there is none. */
export type OpenJournalOptions = StartJournalOptions & { readonly folder: string };

/** The epoch of this start is `journal.state().epoch`, the live session `journal.session().sessionId`. */
export type OpenedJournal = {
  readonly journal: Journal & AsyncDisposable;
  readonly restored: Restored;
};

/**
 * Opens or makes the store in `folder`, which this process then owns until it closes the journal. Throws a Fault:
 * `taken`, `cannot_create`, `store_corrupt`, or `manifest_invalid` for a store of another format or a session that it
 * does not have.
 */
export async function openJournal(options: OpenJournalOptions): Promise<OpenedJournal> {
  const opening = openInFolder(options);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      ignore(
        opening.then(async ({ journal }) => {
          await journal[Symbol.asyncDispose]();
        }),
        'nobody waits for it any more',
      );
      reject(
        new Fault(
          'cannot_create',
          `the session store did not open within ${LIMITS.openStoreMs} ms`,
        ),
      );
    }, LIMITS.openStoreMs);
  });
  try {
    return await Promise.race([opening, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function openInFolder(options: OpenJournalOptions): Promise<OpenedJournal> {
  const store = await openStoreFolder(options.folder);
  try {
    return await startJournal(store, options);
  } catch (error) {
    await store[Symbol.asyncDispose]();
    throw error;
  }
}

/**
 * Restores what `store` holds, closes what the last process left open, and records the start under a new epoch: all
 * of it is durable when this resolves. The journal then owns the store.
 */
export async function startJournal(
  store: KeyValueStore,
  options: StartJournalOptions,
): Promise<OpenedJournal> {
  const { clock, publish, log } = options;
  const at = clock.now();
  const stored = await restoreJournal(store);
  const found = stored.state ?? EMPTY_JOURNAL;
  const last = await restoreLast(store, found.sessionCurrent, options);
  const live = await chooseLive(store, last, options);
  const isOlder = options.session.kind === 'id' && live !== last;

  // An older one can have an open run as well: damaged when another became the live one, then restored from a copy.
  const liveClosing = planClosing(live, at);
  const closings =
    last === null || live === last ? [liveClosing] : [planClosing(last, at), liveClosing];
  const restored: Restored = {
    journal: found,
    interruptedRun: last?.state.openRun ?? live.state.openRun,
    interruptedCalls: closings.flatMap(({ entries }) => entries.flatMap(callsClosedBy)),
  };

  const epoch = await options.epochAfter(found.epoch);
  invariant(epoch > found.epoch, `epoch ${epoch} is not above ${found.epoch}`);
  const started: JournalEntry[] = [{ kind: 'started', at, epoch, bootId: options.bootId }];
  // A new session becomes the live one with its first entry; one that is there already, now.
  if (isOlder) started.push({ kind: 'session_current', at, sessionId: live.state.sessionId });
  if (stored.state === null)
    started.unshift({
      kind: 'journal_start',
      at,
      version: STORE_FORMAT,
      state: toStoredState(EMPTY_JOURNAL),
    });
  const journalPlan = planAppend(stored.tail, started.map(encodeEntry));
  try {
    const closed = closings.flatMap(({ operations }) => operations);
    await store.write([...closed, ...journalPlan.operations]);
  } catch (cause) {
    throw new Fault(
      'cannot_create',
      'the start could not be recorded in the session store: check that its disk has space',
      { cause },
    );
  }
  for (const { state, entries } of closings) for (const entry of entries) state.apply(entry);
  const durable = {
    session: liveClosing.tail,
    journal: journalPlan.tail,
    state: started.reduce(nextJournalState, stored.state) ?? EMPTY_JOURNAL,
  };
  const journal = new StoredJournal({ store, durable, session: live.state, clock, publish, log });
  return { journal, restored };
}

type Closing = AppendPlan & {
  readonly state: SessionProjection;
  readonly entries: readonly SessionEntry[];
};

function planClosing({ tail, state }: RestoredLog<SessionProjection>, at: number): Closing {
  const entries = planRecovery(state, at);
  return { ...planAppend(tail, entries.map(encodeEntry)), state, entries };
}

function callsClosedBy(entry: SessionEntry): string[] {
  return entry.kind === 'tool_results' ? entry.items.map(({ callId }) => callId) : [];
}

async function chooseLive(
  store: KeyValueStore,
  last: RestoredLog<SessionProjection> | null,
  { session, newSessionId }: StartJournalOptions,
): Promise<RestoredLog<SessionProjection>> {
  if (session.kind === 'latest' && last !== null) return last;
  if (session.kind !== 'id') return newSession(newSessionId());
  const id = sessionId(session.id);
  if (last?.state.sessionId === id) return last;
  if (await hasSession(store, id)) return await restoreSession(store, id);
  const all = await listSessions(store);
  throw new Fault('manifest_invalid', `--session ${id}: ${sayThereIsNone(all, last)}`);
}

/** A mistyped id is found among the newest: those of a Pod sort by time. */
const SESSIONS_TOLD = 5;

function sayThereIsNone(
  all: readonly SessionId[],
  last: RestoredLog<SessionProjection> | null,
): string {
  if (all.length === 0) return "this Pod's store has no such session, and none at all yet";
  const told = all.slice(-SESSIONS_TOLD).reverse();
  const has = told.map((id) => (id === last?.state.sessionId ? `${id} (live last)` : id));
  const more = all.length > told.length ? `, and ${all.length - told.length} older ones` : '';
  return `this Pod's store has no such session; it has ${has.join(', ')}${more}`;
}

/** The session that was live last, also when a new one is asked for: a run that died in it is closed either way. */
async function restoreLast(
  store: KeyValueStore,
  id: SessionId | null,
  { session, log }: StartJournalOptions,
): Promise<RestoredLog<SessionProjection> | null> {
  if (id === null) return null;
  try {
    return await restoreSession(store, id);
  } catch (error) {
    if (session.kind === 'latest' || !(error instanceof Fault)) throw error;
    // A new session is a way out of a damaged one, which stays as it is for whoever repairs it.
    log.warn('the last session is damaged and is left as it is', { session: id, err: error });
    return null;
  }
}
