import type { RpcFaultName } from '../protocol/faults.ts';
import { RPC_CODES } from '../protocol/faults.ts';

export type RpcError = {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
};

/** The Pod answered with an error. `fault` names one of podd's own; it is null for JSON-RPC's, such as invalid params. */
export class PodRefusal extends Error {
  override readonly name = 'PodRefusal';
  readonly code: number;
  readonly fault: RpcFaultName | null;
  readonly data: Readonly<Record<string, unknown>>;

  constructor(error: RpcError) {
    super(error.message);
    this.code = error.code;
    this.data = isRecord(error.data) ? error.data : {};
    const named = this.data['code'];
    this.fault = typeof named === 'string' && isFaultName(named) ? named : null;
  }
}

/** Why there is no answer. `no_pod`: nobody is there; `lost`: the connection ended; `late`: it took too long; `closed`: this side ended it. */
type UnreachableReason = 'no_pod' | 'lost' | 'late' | 'closed';

/** There is no answer. What was asked for may have been done or not. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
  readonly reason: UnreachableReason;

  constructor(reason: UnreachableReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isRpcError(value: unknown): value is RpcError {
  return isRecord(value) && Number.isInteger(value['code']) && typeof value['message'] === 'string';
}

function isFaultName(name: string): name is RpcFaultName {
  return Object.hasOwn(RPC_CODES, name);
}
