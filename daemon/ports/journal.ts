import type { Numbered } from '../../protocol/events.ts';
import type { JournalEntry, JournalState, SessionEntry } from '../core/entry.ts';
import type { SessionState } from '../core/session-state.ts';
import type { SessionId } from '../core/ids.ts';

/** What becomes true together. Events are published after both logs have their entries, in the order of commits. */
export type Batch = {
  readonly session?: readonly SessionEntry[];
  readonly journal?: readonly JournalEntry[];
  readonly events?: readonly Numbered[];
};

/**
 * Both logs of a Pod and the only way to append to them. Batches are taken in the order of the calls, one at a time.
 * When `commit` resolves, the batch is synced to disk, the projections have it and its events are out, all in one tick.
 * When it rejects (`storage_error`), nothing of it is stored, projected or published.
 */
export type Journal = {
  readonly commit: (batch: Batch) => Promise<void>;
  /** The live session, and the Pod's own state, as they are on disk. */
  readonly session: () => SessionState;
  readonly state: () => JournalState;
  /** Bytes and entries of both logs. */
  readonly size: () => {
    readonly sessionEntries: number;
    readonly sessionBytes: number;
    readonly journalEntries: number;
    readonly journalBytes: number;
  };
  /** Since when the oldest batch waits for the disk (Unix ms), or null. */
  readonly committingSince: () => number | null;
};

/** Where a start takes up: what was found in the store, before the Pod adds to it. */
export type Restored = {
  readonly sessionId: SessionId;
  readonly session: SessionState;
  readonly journal: JournalState;
};
