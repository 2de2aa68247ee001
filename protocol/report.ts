import * as v from 'valibot';

/** Token counts as every provider's are normalised. `inputTotal` is the whole prompt, cached parts included. */
export const Usage = v.strictObject({
  inputTotal: v.number(),
  cacheRead: v.number(),
  cacheWrite: v.number(),
  output: v.number(),
});

/** Why a model stopped. `tool_calls`: it waits for their results; `end`: it had said all. */
export const StopReason = v.picklist([
  'end',
  'tool_calls',
  'max_tokens',
  'refusal',
  'content_filter',
]);

export const RunOutcome = v.picklist(['finished', 'paused', 'limit_reached', 'cancelled']);

/** A call that waits for a decision. */
export const PendingCall = v.strictObject({
  callId: v.string(),
  tool: v.string(),
  summary: v.string(),
});

/** The answer of a run that did not fail. `text` is the last assistant message, `usage` sums the run. */
export const RunReport = v.strictObject({
  runId: v.string(),
  outcome: RunOutcome,
  text: v.string(),
  turns: v.number(),
  usage: Usage,
  sessionId: v.string(),
  stopReason: v.optional(StopReason),
  continues: v.optional(v.string()),
  pending: v.optional(v.array(PendingCall)),
});

export type Usage = v.InferOutput<typeof Usage>;
export type StopReason = v.InferOutput<typeof StopReason>;
export type RunReport = v.InferOutput<typeof RunReport>;
