import type { RpcFaultName } from '../protocol/faults.ts';

/**
 * What the Pod itself answers with, and what only a client meets: `no_place` (a name or folder that leads to no socket or
 * registry), `bad_registry` (its file can't be read, or not as one), `no_project`
 * (a manifest or what the user says of it can't be read or made), `unreachable` (nobody serves there), `disconnected`
 * (the connection went while a request was open, or there is none at the moment), `start_failed` (podd ended before it was
 * ready; `data` is a `FailedStart`), `no_answer` (its deadline passed), `refused` (JSON-RPC's own errors: a
 * request that does not fit), `bad_answer` (not our protocol).
 */
export type PodErrorCode =
  | RpcFaultName
  | 'no_place'
  | 'bad_registry'
  | 'no_project'
  | 'unreachable'
  | 'disconnected'
  | 'start_failed'
  | 'no_answer'
  | 'refused'
  | 'bad_answer';

/** Every failure of a `PodClient`. `data` is the wire's `error.data`, as it came. */
export class PodError extends Error {
  override readonly name = 'PodError';
  readonly code: PodErrorCode;
  readonly data: unknown;

  constructor(
    code: PodErrorCode,
    message: string,
    options?: ErrorOptions & { readonly data?: unknown },
  ) {
    super(message, options);
    this.code = code;
    this.data = options?.data;
  }
}
