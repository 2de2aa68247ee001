import type { Item, ToolResultItem } from '../../protocol/items.ts';
import type { Compacted } from '../../protocol/methods.ts';
import type { RunReport, StopReason, Usage } from '../../protocol/report.ts';
import type { ScopeRules } from '../../protocol/scope.ts';
import type { Trigger } from '../../protocol/state.ts';
import type { EntryHash, RunId, SessionId } from './ids.ts';

/**
 * Every kind of record that podd keeps, in both logs, also those that later versions are the first to write:
 * a kind that is not here is an error when read, and adding one is a new store format.
 * `at` is Unix time in milliseconds, taken when the thing happened.
 */

/** The number in the store's `format` key. A store with another number is not touched. */
export const STORE_FORMAT = 1;

export type EntryOrigin = { readonly sessionId: SessionId; readonly atHash: EntryHash };

/** Where estimates go on after a compaction cleared the usage records. */
export type Calibration = { readonly tokensPerByte: number; readonly constantTokens: number };

/** Which model answered, with which tools and limits: what `config_changed` compares. */
export type SessionConfig = {
  readonly provider: { readonly kind: string; readonly model: string };
  readonly tools: readonly string[];
  readonly maxTurns: number | null;
  readonly scope: ScopeRules;
};

/** `wrote`: this line of sessions wrote it at some time, and may have read it since. */
export type TrackedFile = { readonly path: string; readonly hash: string; readonly wrote?: true };

export type EntryError = {
  readonly code: string;
  readonly message: string;
  readonly cause?: string;
};

/** What a tool is about to do, stored before it does it. `hash` is that of the file as it will be. */
export type CallIntent =
  | {
      readonly kind: 'write_file';
      readonly path: string;
      readonly hash: string;
      readonly before: string | null;
    }
  | { readonly kind: 'command'; readonly hash: string }
  | { readonly kind: 'spawn'; readonly pod: string };

export type RunOutcomeEntry =
  | {
      readonly outcome: 'finished' | 'paused' | 'limit_reached' | 'cancelled';
      readonly report: RunReport;
    }
  | { readonly outcome: 'interrupted' }
  | { readonly outcome: 'error'; readonly error: EntryError };

/** UTF-8 bytes of a request as it was sent: prompt and tools, its history, and notes that went along with it alone. */
export type SentBytes = {
  readonly constant: number;
  readonly items: number;
  readonly passing: number;
};

export type UsageRecord = Usage & {
  readonly historyLen: number;
  readonly kind: 'run' | 'discarded' | 'compactor';
  /** Where the model's price is known. */
  readonly costUsd?: number;
  readonly sent?: SentBytes;
  /** Which model answered. */
  readonly model?: string;
  /** Why the provider's cache had less of it than of the request before. */
  readonly miss?: string;
};

/** A record with the time of its request's end, Unix ms. */
export type TimedUsage = UsageRecord & { readonly at: number };

/** A run that is over. */
export type LastRun = {
  readonly runId: RunId;
  readonly outcome: 'finished' | 'paused' | 'limit_reached' | 'cancelled' | 'interrupted' | 'error';
  readonly interrupted: boolean;
};

/** What a session takes over from the one that it was compacted from, beside its items. */
export type CarriedOver = {
  /** The run that goes on in it; it has no `run_start` here. */
  readonly openRun?: RunId;
  readonly lastRun?: LastRun;
  /** The first thing that the user asked for in this line of sessions. */
  readonly firstRequest?: string;
  /** What the sessions before it cost. */
  readonly totals?: Totals;
};

export type Totals = { readonly usage: Usage; readonly costUsd: number };

type At = { readonly at: number };

export type SessionEntry = At &
  (
    | {
        readonly kind: 'session_start';
        readonly version: number;
        readonly sessionId: SessionId;
        readonly systemPrompt: string;
        readonly config: SessionConfig;
        readonly history: readonly Item[];
        readonly files: readonly TrackedFile[];
        readonly turnCount: number;
        readonly forkedFrom?: EntryOrigin;
        readonly compactedFrom?: EntryOrigin;
        readonly calibration?: Calibration;
        readonly carried?: CarriedOver;
      }
    | {
        readonly kind: 'run_start';
        readonly runId: RunId;
        readonly trigger: Trigger;
        readonly inputId?: string;
        readonly continues?: RunId;
      }
    | { readonly kind: 'user_input'; readonly item: Item }
    | { readonly kind: 'injected_items'; readonly items: readonly Item[] }
    | { readonly kind: 'assistant_items'; readonly items: readonly Item[] }
    | { readonly kind: 'call_started'; readonly callId: string; readonly intent: CallIntent }
    | { readonly kind: 'tool_results'; readonly items: readonly ToolResultItem[] }
    | {
        readonly kind: 'turn_end';
        readonly runId: RunId;
        readonly turnCount: number;
        readonly stopReason: StopReason;
      }
    | { readonly kind: 'llm_usage'; readonly record: UsageRecord }
    | { readonly kind: 'prune_marked'; readonly index: number }
    | { readonly kind: 'config_changed'; readonly config: SessionConfig }
    | { readonly kind: 'run_yielded'; readonly runId: RunId }
    /** `interrupted` is true when `Resume` has something to take up. */
    | ({
        readonly kind: 'run_outcome';
        readonly runId: RunId;
        readonly interrupted: boolean;
      } & RunOutcomeEntry)
  );

/** An input that waits for the runs before it. Its run has its id already. */
export type QueuedInput = {
  readonly runId: RunId;
  readonly text: string;
  readonly inputId?: string;
  /** It was begun before, by this run, which a crash cut off: what is left of it waits. */
  readonly continues?: RunId;
};

/** A note that the model was not told yet. */
export type QueuedNote = { readonly noteId: string; readonly text: string; readonly from?: string };

/** A request that was taken, by the id that its client gave it: it is not done twice. */
export type SeenRequest = {
  readonly method: 'Run' | 'Resume' | 'Notify' | 'Compact';
  readonly requestId: string;
  /** SHA-256 of what was asked for, in hex. */
  readonly hash: string;
  readonly at: number;
  /** The run that it began, and the session of that; a note begins none of its own. */
  readonly run?: { readonly runId: RunId; readonly sessionId: SessionId };
  /** What a compaction answered. */
  readonly compacted?: Compacted;
};

/** The journal's state as one value. */
export type JournalState = {
  readonly epoch: number;
  readonly bootId: string;
  readonly stopped: boolean;
  readonly sessionCurrent: SessionId | null;
} & JournalWaiting;

/** What waits, and what was taken: empty in most journals, and then not stored. */
export type JournalWaiting = {
  readonly inputs: readonly QueuedInput[];
  readonly notes: readonly QueuedNote[];
  /** Notes that were older than these and had no room. */
  readonly notesDropped: number;
  /** Oldest first. */
  readonly requests: readonly SeenRequest[];
  readonly compaction: CompactionState;
};

export type CompactionState = {
  /** In a row. */
  readonly failures: number;
  /** Nothing is compacted by itself until one that was asked for succeeds. */
  readonly disabled: boolean;
  /** Of the last that succeeded, Unix ms. */
  readonly lastAt: number | null;
  readonly lastFailure?: string;
};

/** What a rewritten journal begins with. */
export type StoredJournalState = Omit<JournalState, keyof JournalWaiting> & Partial<JournalWaiting>;

export type JournalEntry = At &
  (
    | {
        readonly kind: 'journal_start';
        readonly version: number;
        readonly state: StoredJournalState;
        /** Head of the chain that this one replaces. */
        readonly continues?: EntryHash;
      }
    | { readonly kind: 'started'; readonly epoch: number; readonly bootId: string }
    | { readonly kind: 'stopped'; readonly reason: string }
    | { readonly kind: 'session_current'; readonly sessionId: SessionId }
    | { readonly kind: 'input_queued'; readonly input: QueuedInput }
    | { readonly kind: 'input_taken'; readonly runId: RunId }
    /** `forgotten`: they could not begin, and may be asked for again under the same ids. */
    | {
        readonly kind: 'input_cleared';
        readonly runIds: readonly RunId[];
        readonly forgotten: boolean;
      }
    | { readonly kind: 'note_queued'; readonly note: QueuedNote }
    /** `dropped` of those that had no room were told as well. */
    | { readonly kind: 'note_taken'; readonly noteIds: readonly string[]; readonly dropped: number }
    | { readonly kind: 'request_done'; readonly request: Omit<SeenRequest, 'at'> }
    | {
        readonly kind: 'decision_asked';
        readonly callId: string;
        readonly tool: string;
        readonly expiresAt: number;
      }
    | {
        readonly kind: 'decision_made';
        readonly callId: string;
        readonly action: 'allow' | 'deny';
        readonly by: string;
      }
    | {
        readonly kind: 'remembered';
        readonly tool: string;
        readonly match: string;
        readonly action: 'allow' | 'deny';
      }
    | {
        readonly kind: 'budget';
        readonly used: Usage;
        readonly turns: number;
        readonly costUsd: number;
      }
    | {
        readonly kind: 'child';
        readonly pod: string;
        readonly state: unknown;
        readonly readCursor: number;
      }
    | {
        readonly kind: 'outbox';
        readonly n: number;
        readonly event: unknown;
        readonly acknowledged: boolean;
      }
    | {
        readonly kind: 'inbox_cursor';
        readonly pod: string;
        readonly outbox: string;
        readonly n: number;
      }
    /** 0 failures: one has succeeded. */
    | {
        readonly kind: 'compaction_state';
        readonly failures: number;
        readonly disabled: boolean;
        readonly message?: string;
      }
  );

type Kinds<E extends { readonly kind: string }> = Readonly<Record<E['kind'], true>>;

/** The table that a reader checks a stored kind against; it does not compile while a kind is missing. */
export const SESSION_KINDS: Kinds<SessionEntry> = {
  session_start: true,
  run_start: true,
  user_input: true,
  injected_items: true,
  assistant_items: true,
  call_started: true,
  tool_results: true,
  turn_end: true,
  llm_usage: true,
  prune_marked: true,
  config_changed: true,
  run_yielded: true,
  run_outcome: true,
};

export const JOURNAL_KINDS: Kinds<JournalEntry> = {
  journal_start: true,
  started: true,
  stopped: true,
  session_current: true,
  input_queued: true,
  input_taken: true,
  input_cleared: true,
  note_queued: true,
  note_taken: true,
  request_done: true,
  decision_asked: true,
  decision_made: true,
  remembered: true,
  budget: true,
  child: true,
  outbox: true,
  inbox_cursor: true,
  compaction_state: true,
};
