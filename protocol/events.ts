import * as v from 'valibot';
import { RPC_CODES } from './faults.ts';
import { Item } from './items.ts';
import { RunReport, StopReason, Usage } from './report.ts';
import { ScopeRule } from './scope.ts';
import { Phase, StateName, Trigger } from './state.ts';

/**
 * Events: what a subscriber is told, as `{"method":"Event","params":{epoch, seq, ts, event, data}}`.
 *
 * `seq` counts every event but the deltas; within an epoch it rises by one. A delta repeats the seq of the event
 * before it and says by `offset` (UTF-16 units of its block or call) where its text belongs. Deltas are
 * provisional and kept in no ring; the `*_done` events, `history`, `usage` and `tool_result` are sent only after what they tell is on disk.
 */

const runId = v.string();
const callId = v.string();
const text = v.string();
/** A block is one text, reasoning or tool call of an answer; its number is used once in an epoch. */
const block = v.number();
const offset = v.number();
const Fault = v.strictObject({
  code: v.picklist(Object.keys(RPC_CODES) as (keyof typeof RPC_CODES)[]),
  message: v.string(),
});

export const EVENTS = {
  run_start: v.strictObject({
    runId,
    trigger: Trigger,
    inputId: v.optional(v.string()),
    continues: v.optional(runId),
  }),
  /** Either `outcome` and `report`, or `error`. */
  run_end: v.union([
    v.strictObject({ runId, outcome: RunReport.entries.outcome, report: RunReport }),
    v.strictObject({ runId, error: Fault }),
  ]),
  turn_start: v.strictObject({ runId, turn: v.number() }),
  turn_end: v.strictObject({ runId, turn: v.number(), stopReason: StopReason }),
  text_delta: v.strictObject({ block, offset, text }),
  text_done: v.strictObject({ block, text }),
  reasoning_delta: v.strictObject({ block, offset, text }),
  reasoning_done: v.strictObject({ block, text }),
  tool_call_start: v.strictObject({ block, callId, name: v.string() }),
  tool_call_args_delta: v.strictObject({ block, callId, offset, json: v.string() }),
  tool_call_done: v.strictObject({ block, callId, name: v.string(), arguments: v.string() }),
  tool_output: v.strictObject({ callId, offset, text }),
  tool_result: v.strictObject({
    callId,
    name: v.string(),
    summary: v.string(),
    content: v.optional(v.string()),
    isError: v.boolean(),
    truncated: v.optional(v.boolean()),
  }),
  usage: v.strictObject({
    ...Usage.entries,
    costUsd: v.optional(v.number()),
    cache: v.strictObject({ hit: v.number(), reason: v.optional(v.string()) }),
  }),
  state: v.strictObject({ state: StateName, phase: v.optional(Phase) }),
  queue: v.strictObject({ waiting: v.number() }),
  error: v.strictObject({ ...Fault.entries, runId: v.optional(runId) }),
  notification: v.strictObject({
    level: v.picklist(['info', 'warn', 'error']),
    source: v.picklist([
      'pod',
      'worker',
      'compactor',
      'agents_md',
      'manifest',
      'scope',
      'sandbox',
      'hook',
      'family',
      'storage',
    ]),
    message: v.string(),
  }),
  /** Clients drop the blocks in `discarded`; the new attempt uses new numbers. */
  retry: v.strictObject({
    attempt: v.number(),
    delayMs: v.number(),
    reason: v.string(),
    status: v.optional(v.number()),
    discarded: v.array(block),
  }),
  history: v.strictObject({ sessionId: v.string(), from: v.number(), items: v.array(Item) }),
  approval_requested: v.strictObject({
    callId,
    tool: v.string(),
    summary: v.string(),
    arguments: v.string(),
    expiresAt: v.string(),
    default: v.picklist(['allow', 'deny']),
  }),
  approval_resolved: v.strictObject({
    callId,
    action: v.picklist(['allow', 'deny']),
    by: v.string(),
  }),
  compaction_start: v.strictObject({ sessionId: v.string() }),
  compaction_done: v.strictObject({
    from: v.string(),
    sessionId: v.string(),
    tokensBefore: v.number(),
    tokensAfter: v.number(),
  }),
  compaction_failed: v.strictObject({
    message: v.string(),
    cause: v.string(),
    failures: v.number(),
    disabled: v.boolean(),
  }),
  session_changed: v.strictObject({ from: v.string(), sessionId: v.string(), reason: v.string() }),
  child: v.looseObject({
    pod: v.string(),
    kind: v.string(),
    scope: v.optional(v.array(ScopeRule)),
  }),
  fenced: v.strictObject({ epoch: v.number() }),
  /** For one slow subscriber: this many deltas were dropped since the last `lagged`. */
  lagged: v.strictObject({ missed: v.number() }),
  shutdown: v.strictObject({ reason: v.picklist(['client', 'signal', 'fenced']) }),
} as const satisfies Record<string, v.GenericSchema>;

export type EventName = keyof typeof EVENTS;
export type EventData<E extends EventName> = v.InferOutput<(typeof EVENTS)[E]>;

/** An event before the hub numbers it. */
export type PodEventBody = {
  [E in EventName]: { readonly event: E; readonly data: EventData<E> };
}[EventName];

/** The events that carry a piece of what `*_done` or `tool_result` later tells whole. */
export const DELTAS = [
  'text_delta',
  'reasoning_delta',
  'tool_call_args_delta',
  'tool_output',
] as const satisfies readonly EventName[];
export type DeltaName = (typeof DELTAS)[number];
export type Delta = Extract<PodEventBody, { event: DeltaName }>;
export type Numbered = Exclude<PodEventBody, { event: DeltaName }>;

/** The params of an `Event` notification. `ts` is Unix time in milliseconds. */
export const EventParams = v.strictObject({
  epoch: v.number(),
  seq: v.number(),
  ts: v.number(),
  event: v.picklist(Object.keys(EVENTS) as EventName[]),
  data: v.unknown(),
});
export type EventParams = v.InferOutput<typeof EventParams>;
