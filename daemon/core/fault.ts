import type { RpcFaultName } from '../../protocol/faults.ts';

type RpcFaultFacts = {
  readonly retryable: boolean;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
};

/** Failures a client may act on. Their numbers are in `protocol/faults.ts`; one without the other does not compile. */
export const RPC_FAULTS: Readonly<Record<RpcFaultName, RpcFaultFacts>> = {
  already_running: { retryable: true, logLevel: 'info' },
  not_running: { retryable: false, logLevel: 'info' },
  nothing_to_resume: { retryable: false, logLevel: 'info' },
  busy: { retryable: true, logLevel: 'warn' },
  shutting_down: { retryable: true, logLevel: 'info' },
  unknown_session: { retryable: false, logLevel: 'info' },
  unknown_entry: { retryable: false, logLevel: 'info' },
  unknown_pod: { retryable: false, logLevel: 'info' },
  compaction_failed: { retryable: true, logLevel: 'warn' },
  compaction_thrash: { retryable: false, logLevel: 'warn' },
  budget_exceeded: { retryable: false, logLevel: 'warn' },
  conflict: { retryable: false, logLevel: 'info' },
  provider_error: { retryable: true, logLevel: 'warn' },
  prompt_error: { retryable: false, logLevel: 'error' },
  hook_aborted: { retryable: false, logLevel: 'info' },
  fenced: { retryable: false, logLevel: 'error' },
  not_permitted: { retryable: false, logLevel: 'warn' },
  storage_error: { retryable: true, logLevel: 'error' },
  internal: { retryable: false, logLevel: 'error' },
};

/** Failures of a start, and the exit code (sysexits) that each ends in. */
export const START_FAULTS = {
  usage: 64,
  store_corrupt: 65,
  provider_unusable: 69,
  cannot_create: 73,
  taken: 75,
  manifest_invalid: 78,
} as const;

export type StartFaultName = keyof typeof START_FAULTS;
export type FaultName = RpcFaultName | StartFaultName;

/** The world failed, and whoever asked may act on it. The message is for them: no stack, no secret. */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly code: FaultName;
  /** More for the wire's `error.data`, plain JSON. */
  readonly data: Readonly<Record<string, unknown>>;

  constructor(
    code: FaultName,
    message: string,
    options?: ErrorOptions & { readonly data?: Readonly<Record<string, unknown>> },
  ) {
    super(message, options);
    this.code = code;
    this.data = options?.data ?? {};
  }
}

/** A code that the wire has a number for. */
export function isRpcFault(code: FaultName): code is RpcFaultName {
  return code in RPC_FAULTS;
}
