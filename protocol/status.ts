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
  usage: Usage,
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
  compaction: v.strictObject({
    disabled: v.boolean(),
    failures: v.number(),
    lastAt: v.nullable(v.number()),
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
