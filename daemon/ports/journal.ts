import type { Numbered } from '../../protocol/events.ts';
import type { JournalEntry, JournalState, SessionEntry, TimedUsage } from '../core/entry.ts';
import type { SessionState } from '../core/session-state.ts';
import type { EntryHash, RunId, SessionId } from '../core/ids.ts';

export type RunEndEntry = Extract<SessionEntry, { kind: 'run_outcome' }>;

/** `end` is null for a run that is not over, or not there. */
export type StoredRunEnd = {
  readonly end: RunEndEntry | null;
  readonly continuedBy: RunId | null;
};

export type UsagePage = {
  readonly session: SessionId;
  readonly from: number;
  readonly limit: number;
};

/** What becomes true together. Events are published after both logs have their entries, in the order of commits. */
export type Batch = {
  readonly session?: readonly SessionEntry[];
  readonly journal?: readonly JournalEntry[];
  readonly events?: readonly Numbered[];
};

/**
 * Both logs of a Pod and the only way to append to them. Batches are taken in the order of the calls, one at a time.
 * When `commit` resolves, the batch is synced to disk, the projections have it and its events are out, all in one tick.
 * When it rejects (`storage_error`), nothing of it is projected or published, now or later, and nothing is stored, unless
 * the message says that only a restart can tell: then no entry is taken any more. A batch of events alone needs no disk
 * and is refused only when the queue is full or the journal closed. `session_start` needs its `session_current` beside it. One of
 * another session comes first in its batch, names the live session's last entry, and makes its session the live one.
 */
export type Journal = {
  readonly commit: (batch: Batch) => Promise<void>;
  /** The live session, and the Pod's own state, as they are on disk. */
  readonly session: () => SessionState;
  readonly state: () => JournalState;
  /** Hash of the live session's last entry; null until its first. */
  readonly headHash: () => EntryHash | null;
  /** Bytes and entries of both logs. */
  readonly size: () => {
    readonly sessionEntries: number;
    readonly sessionBytes: number;
    readonly journalEntries: number;
    readonly journalBytes: number;
  };
  /** How a run of a session ended, and which run took it up again, as it is stored; reads the disk. Ends by `signal`. */
  readonly runEnd: (
    sessionId: SessionId,
    runId: RunId,
    signal: AbortSignal,
  ) => Promise<StoredRunEnd>;
  /** Usage records as they are stored, oldest first; reads the disk. A session that the store has not is `unknown_session`. */
  readonly usage: (page: UsagePage, signal: AbortSignal) => Promise<readonly TimedUsage[]>;
  /** Another session than the live one, read from the disk. `unknown_session` if the store has no such one. */
  readonly pastSession: (id: SessionId, signal: AbortSignal) => Promise<SessionState>;
  /** Since when the oldest batch waits for the disk (Unix ms), or null. */
  readonly committingSince: () => number | null;
};

/** What a start found, and what it closed before anything else. The state after it is the journal's own. */
export type Restored = {
  /** The Pod's state as its last process left it; epoch 0 in a fresh store. */
  readonly journal: JournalState;
  /** The run that the last process died in, now ended as interrupted, and its calls without a result. */
  readonly interruptedRun: RunId | null;
  readonly interruptedCalls: readonly string[];
};
