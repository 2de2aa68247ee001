/** What of a long context is left out of requests, and when it is summarised. Numbers are tokens, but `protectedTurns`. */
export type CompactionSettings = {
  /** Null: nothing is left out. */
  readonly prune: PruneSettings | null;
  /** Over this after a run; null: never by itself. */
  readonly threshold: number | null;
  /** Over this before a request of a run; null: never by itself. */
  readonly requestThreshold: number | null;
  /** The newest part of the history, which stays as it is. */
  readonly retainedTokens: number;
  /** Text of files that the compactor may carry over. */
  readonly autoReadBudget: number;
  /** Cap on what the compactor itself is sent. */
  readonly workerMaxInputTokens: number;
  /** A prompt that the provider calls too long is compacted once. */
  readonly onRefusal: boolean;
  /** `worker`: a throw-away conversation with tools of its own; `prefix`: one more request on the session's own. */
  readonly strategy: 'worker' | 'prefix';
};

export type PruneSettings = {
  /** User turns whose tool results stay whole. */
  readonly protectedTurns: number;
  /** Of a turn that is longer, only so much of its end is protected. */
  readonly protectedTokens: number;
  /** Nothing is left out before it saves so much. */
  readonly minSavings: number;
};

/** Without a `[compaction]` section: nothing happens by itself but after a refusal. */
export const NO_COMPACTION_SECTION: CompactionSettings = {
  prune: null,
  threshold: null,
  requestThreshold: null,
  retainedTokens: 8000,
  autoReadBudget: 8000,
  workerMaxInputTokens: 50_000,
  onRefusal: true,
  strategy: 'worker',
};

export const PRUNE_DEFAULTS: PruneSettings = {
  protectedTurns: 3,
  protectedTokens: 8000,
  minSavings: 4096,
};
