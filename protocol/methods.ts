import * as v from 'valibot';
import { EVENTS, EventParams, type EventName } from './events.ts';
import { RUN_FAULTS, type RpcFaultName } from './faults.ts';
import { Item } from './items.ts';
import { RunReport, Usage } from './report.ts';
import { ScopeRules } from './scope.ts';
import { Phase, StateName } from './state.ts';
import { Status } from './status.ts';

/** Params go by name; a key that is not in the schema is refused, with the nearest one that is. */
type MethodSpec = {
  readonly params: v.StrictObjectSchema<v.ObjectEntries, undefined>;
  readonly result: v.GenericSchema;
  /** The method's own errors; JSON-RPC's and `internal` can come from any. */
  readonly errors: readonly RpcFaultName[];
};

/** An input's length in UTF-16 units; it fits a line with room for JSON's escapes. */
const INPUT_UNITS_MAX = 2_000_000;
const eventNames = Object.keys(EVENTS) as EventName[];
/** Its length is checked first: each wrong name is an issue of its own. */
const EventNames = v.pipe(
  v.array(v.unknown()),
  v.maxLength(eventNames.length),
  v.array(v.picklist(eventNames)),
);
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
/** An id that a client gives: what is asked again under it is not done again. Remembered for 30 days, of the last 10,000. */
const RequestId = v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(200)));
const flag = v.optional(v.boolean());
/** A note's length in UTF-16 units. */
const NOTE_UNITS_MAX = 16_000;
/** `ended` answers with the report when the run is over, however long that takes; `accepted` at once. */
const Wait = v.optional(v.picklist(['ended', 'accepted']));
const RunAnswer = v.union([RunReport, v.strictObject({ runId: v.string() })]);

/** Tokens are what the history fills in the model's window, as estimated before and after. */
export const Compacted = v.strictObject({
  from: v.string(),
  sessionId: v.string(),
  tokensBefore: v.number(),
  tokensAfter: v.number(),
});
export type Compacted = v.InferOutput<typeof Compacted>;

const InFlight = v.strictObject({
  /** Missing for `tool_output`, which belongs to a call, not to a block. */
  block: v.optional(v.number()),
  kind: v.picklist(['text', 'reasoning', 'tool_call', 'tool_output']),
  /** Always 0: the text is whole up to now. The next delta's `offset` is its length. */
  offset: v.number(),
  text: v.string(),
  callId: v.optional(v.string()),
  name: v.optional(v.string()),
});

/** The whole request surface: a method is here or it does not exist. Types, checks and docs come from this table. */
export const METHODS = {
  /** What this daemon is and can, for a client of another version. Nothing depends on its being called. */
  Hello: {
    params: v.strictObject({
      /** The client's, as it has them; podd only logs them. */
      protocol: v.optional(count),
      client: v.optional(v.pipe(v.string(), v.maxLength(200))),
    }),
    result: v.strictObject({
      protocol: v.number(),
      version: v.string(),
      /** Of which source it was built: a commit, or `unknown`. */
      build: v.string(),
      pod: v.string(),
      epoch: v.number(),
      methods: v.array(v.string()),
      events: v.array(v.string()),
    }),
    errors: [],
  },
  /** The whole wire as an OpenRPC document. */
  'rpc.discover': {
    params: v.strictObject({}),
    result: v.record(v.string(), v.unknown()),
    errors: [],
  },
  /**
   * Gives the Pod an input. The answer comes when the input's run is over, unless `wait` says otherwise. With `queue` it
   * waits behind the run that is open, also across a restart. The same `inputId` and text again is answered as the
   * first time.
   */
  Run: {
    params: v.strictObject({
      input: v.pipe(v.string(), v.minLength(1), v.maxLength(INPUT_UNITS_MAX)),
      inputId: RequestId,
      wait: Wait,
      queue: flag,
      /** A compaction without a run is cancelled for it; by itself it waits until that is over. */
      preempt: flag,
      /** On a paused Pod: closes what its run left open, and begins. */
      abandonPaused: flag,
    }),
    result: RunAnswer,
    errors: ['already_running', 'busy', 'shutting_down', 'conflict', ...RUN_FAULTS],
  },
  /** Goes on with a run that was paused, cancelled, limited, failed or cut off by a crash, as a new run that `continues` it. */
  Resume: {
    params: v.strictObject({ wait: Wait, requestId: RequestId }),
    result: RunAnswer,
    errors: [
      'nothing_to_resume',
      'already_running',
      'busy',
      'shutting_down',
      'conflict',
      ...RUN_FAULTS,
    ],
  },
  /**
   * A text for the model, which it is told before its next request. An idle Pod begins a run by it (`started`). Of notes
   * that wait, the oldest make room at 128.
   */
  Notify: {
    params: v.strictObject({
      message: v.pipe(v.string(), v.minLength(1), v.maxLength(NOTE_UNITS_MAX)),
      notifyId: RequestId,
      /** Who says it; the model is told. */
      from: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(100))),
    }),
    result: v.strictObject({
      /** It waits for the next request. */
      queued: v.boolean(),
      started: v.boolean(),
      duplicate: v.boolean(),
    }),
    errors: ['busy', 'shutting_down', 'conflict', 'storage_error', 'fenced'],
  },
  /** Lets the run stop at its next safe point, between two requests, with the outcome `paused`. */
  Pause: {
    params: v.strictObject({}),
    result: v.strictObject({ runId: v.string() }),
    errors: ['not_running'],
  },
  /** Answers when nothing of the run is left (`quiescent`), or after 5 s with what is. `clearQueue`: the inputs that wait go too. */
  Cancel: {
    params: v.strictObject({ clearQueue: flag }),
    result: v.strictObject({
      runId: v.nullable(v.string()),
      quiescent: v.boolean(),
      survivors: v.array(
        v.strictObject({ kind: v.string(), id: v.string(), pid: v.optional(v.number()) }),
      ),
    }),
    errors: ['not_running', 'storage_error'],
  },
  /** `now` cancels the run, `graceful` lets it end. The answer is sent before the socket closes. */
  Shutdown: {
    params: v.strictObject({
      mode: v.optional(v.picklist(['now', 'graceful'])),
      deadlineMs: v.optional(
        v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(86_400_000)),
      ),
    }),
    result: v.strictObject({}),
    errors: [],
  },
  GetStatus: { params: v.strictObject({}), result: Status, errors: [] },
  /** A page of the session's items: at most 500, and about 4 MiB. `next` is the `from` of the page after it. */
  GetHistory: {
    params: v.strictObject({
      sessionId: v.optional(v.string()),
      from: v.optional(count),
      limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(500))),
    }),
    result: v.strictObject({
      sessionId: v.string(),
      epoch: v.number(),
      seq: v.number(),
      items: v.array(Item),
      from: v.number(),
      total: v.number(),
      next: v.optional(v.number()),
      greeting: v.strictObject({
        pod: v.string(),
        cwd: v.string(),
        provider: v.string(),
        model: v.string(),
        scope: ScopeRules,
        tools: v.array(v.string()),
      }),
    }),
    errors: ['unknown_session', 'storage_error'],
  },
  /** What each model request of a session cost, oldest first: those of its runs, those thrown away, the compactor's. */
  GetUsage: {
    params: v.strictObject({
      sessionId: v.optional(v.string()),
      from: v.optional(count),
      limit: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(500))),
    }),
    result: v.strictObject({
      records: v.array(
        v.strictObject({
          ...Usage.entries,
          /** Items of the history that the request was sent with. */
          historyLen: v.number(),
          /** Unix time in milliseconds. */
          at: v.number(),
          kind: v.picklist(['run', 'discarded', 'compactor']),
          costUsd: v.optional(v.number()),
        }),
      ),
    }),
    errors: ['unknown_session', 'storage_error'],
  },
  /**
   * Summarises the older part of the session into a new one, with which the Pod goes on. During a run it waits for the
   * moment before the next request. `instructions` are for whoever writes the summary.
   */
  Compact: {
    params: v.strictObject({
      instructions: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(NOTE_UNITS_MAX))),
      /** Tokens of the newest part that stays as it is. Default: the manifest's. */
      retainedTokens: v.optional(count),
      requestId: RequestId,
    }),
    result: Compacted,
    errors: [
      'already_running',
      'busy',
      'shutting_down',
      'conflict',
      'unknown_session',
      'budget_exceeded',
      'compaction_failed',
      'compaction_thrash',
      'storage_error',
      'fenced',
    ],
  },
  /**
   * Turns `Event` notifications on for this connection, or changes its filter. Right behind the answer comes what was
   * asked for by `after`, then everything that happens after `seq`, the moment that the answer describes.
   */
  Subscribe: {
    params: v.strictObject({
      after: v.optional(v.strictObject({ epoch: count, seq: count })),
      events: v.optional(EventNames),
    }),
    result: v.strictObject({
      epoch: v.number(),
      seq: v.number(),
      /** How many events after `after` are gone from the ring. */
      missed: v.number(),
      /** True when `after` names another epoch: the replay then starts at the oldest event kept. */
      reset: v.boolean(),
      state: StateName,
      phase: v.optional(Phase),
      run: v.optional(v.strictObject({ id: v.string(), startedAt: v.number(), turn: v.number() })),
      inFlight: v.array(InFlight),
      approvals: v.array(EVENTS.approval_requested),
      notices: v.array(EventParams),
    }),
    errors: [],
  },
  Unsubscribe: { params: v.strictObject({}), result: v.strictObject({}), errors: [] },
} as const satisfies Record<string, MethodSpec>;

export type Method = keyof typeof METHODS;
export type Params<M extends Method> = v.InferOutput<(typeof METHODS)[M]['params']>;
export type Reply<M extends Method> = v.InferOutput<(typeof METHODS)[M]['result']>;
export type InFlight = v.InferOutput<typeof InFlight>;
