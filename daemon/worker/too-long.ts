import { Fault } from '../core/fault.ts';

/** A prompt of too many tokens. A body of too many bytes (413) fails at once (PROV-4). */
export function isTooLong(error: unknown): error is Fault {
  if (!(error instanceof Fault) || error.code !== 'provider_error') return false;
  const { reason, status } = error.data;
  return reason === 'prompt_too_long' && status !== 413;
}
