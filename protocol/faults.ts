/**
 * The closed list of errors that podd itself answers with, and their JSON-RPC numbers.
 *
 * `error.data.code` carries the name; clients should look at the name, the number is for JSON-RPC's sake.
 * A number is never given to another name, also when its name goes away.
 */
export const RPC_CODES = {
  already_running: -32000,
  not_running: -32001,
  nothing_to_resume: -32002,
  busy: -32003,
  shutting_down: -32004,
  unknown_session: -32005,
  unknown_entry: -32006,
  unknown_pod: -32007,
  compaction_failed: -32008,
  compaction_thrash: -32009,
  budget_exceeded: -32010,
  conflict: -32011,
  provider_error: -32012,
  prompt_error: -32013,
  hook_aborted: -32014,
  fenced: -32015,
  not_permitted: -32016,
  storage_error: -32017,
  internal: -32018,
} as const;

export type RpcFaultName = keyof typeof RPC_CODES;

/** JSON-RPC's own numbers, as podd uses them. */
export const JSON_RPC = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
} as const;

/** What a run can fail with, whatever started it. */
export const RUN_FAULTS = [
  'budget_exceeded',
  'provider_error',
  'prompt_error',
  'hook_aborted',
  'compaction_failed',
  'compaction_thrash',
  'storage_error',
  'fenced',
  'internal',
] as const satisfies readonly RpcFaultName[];
