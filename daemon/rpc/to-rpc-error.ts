import type { RpcFaultName } from '../../protocol/faults.ts';
import { RPC_CODES } from '../../protocol/faults.ts';
import { Fault, isRpcFault, RPC_FAULTS } from '../core/fault.ts';

export type RpcErrorBody = {
  readonly code: number;
  readonly message: string;
  readonly data: Readonly<Record<string, unknown>> & {
    readonly code: RpcFaultName;
    readonly retryable: boolean;
  };
};

/** The one way out: what is not a Fault leaves as an internal error with no text of ours in it. */
export function toRpcError(error: unknown): RpcErrorBody {
  if (!(error instanceof Fault) || !isRpcFault(error.code))
    return body('internal', 'internal error: the daemon’s log has the report', {});
  return body(error.code, error.message, error.data);
}

function body(
  code: RpcFaultName,
  message: string,
  data: Readonly<Record<string, unknown>>,
): RpcErrorBody {
  return {
    code: RPC_CODES[code],
    message,
    // `data` may say better than the table whether trying again helps.
    data: { retryable: RPC_FAULTS[code].retryable, ...data, code },
  };
}
