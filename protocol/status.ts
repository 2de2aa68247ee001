import * as v from 'valibot';
import { RunOutcome, Usage } from './report.ts';
import { ScopeRules } from './scope.ts';
import { Phase, StateName } from './state.ts';

/** Answered at any time, mid-run too, from the state of that moment. */
export const Status = v.strictObject({
  protocol: v.number(),
  version: v.string(),
  pod: v.string(),
  pid: v.number(),
  /** New at each start of the daemon, and never used twice by a Pod. */
  epoch: v.number(),
  state: StateName,
  phase: v.optional(Phase),
  /** `startedAt` is Unix time in milliseconds; `turn` counts this run's model requests from 1. */
  run: v.optional(v.strictObject({ id: v.string(), startedAt: v.number(), turn: v.number() })),
  lastOutcome: v.nullable(v.picklist([...RunOutcome.options, 'interrupted', 'error'])),
  /** True when `Resume` has something to take up after a crash. */
  interrupted: v.boolean(),
  sessionId: v.string(),
  /** SHA-256 of the session's last entry, in hex; null until its first run. */
  headHash: v.nullable(v.string()),
  turnCount: v.number(),
  items: v.number(),
  /** Tokens that the history fills in the model's window; `limit` is that window, where it is known. */
  occupancy: v.strictObject({
    tokens: v.number(),
    source: v.picklist(['measured', 'interpolated', 'extrapolated', 'no_data']),
    limit: v.optional(v.number()),
  }),
  /** Of the Pod's whole life, requests that came to nothing and the compactor's too. */
  usage: Usage,
  /** In US dollars, where the price of each model is known. */
  costUsd: v.optional(v.number()),
  /** What the last request found in the provider's prompt cache: tokens, and why there were not more. */
  cache: v.optional(v.strictObject({ hit: v.number(), reason: v.optional(v.string()) })),
  provider: v.strictObject({ kind: v.string(), model: v.string() }),
  cwd: v.string(),
  scope: v.strictObject({ own: ScopeRules, delegated: ScopeRules, effective: ScopeRules }),
  /** Only when the registry was moved. */
  registry: v.optional(v.string()),
  parent: v.nullable(v.string()),
  children: v.array(v.string()),
  waiting: v.strictObject({
    notes: v.number(),
    inputs: v.number(),
    events: v.number(),
    decisions: v.number(),
  }),
  outbox: v.number(),
  /** `failures` in a row; three, and nothing is compacted by itself (`disabled`) until a `Compact` succeeds. */
  compaction: v.strictObject({
    disabled: v.boolean(),
    failures: v.number(),
    /** Of the last one that succeeded, Unix time in milliseconds. */
    lastAt: v.nullable(v.number()),
    /** Why the last one failed. */
    lastFailure: v.optional(v.string()),
  }),
  /** Entries and payload bytes of the live session and of the Pod's journal. */
  log: v.strictObject({
    sessionEntries: v.number(),
    sessionBytes: v.number(),
    journalEntries: v.number(),
    journalBytes: v.number(),
  }),
  /** Since when a commit is under way (Unix ms); null when the disk has everything. */
  committingSince: v.nullable(v.number()),
  connections: v.number(),
  uptimeMs: v.number(),
  rssBytes: v.number(),
});
export type Status = v.InferOutput<typeof Status>;
