import { Cancelled } from '../core/cancel.ts';
import { isTooLong } from '../worker/too-long.ts';
import type { RunEnd } from '../worker/run-turns.ts';
import type { CompactionEnd } from './compaction-job.ts';
import type { MarkedFiles } from './marked-files.ts';

export type Drafted =
  | { readonly kind: 'drafted'; readonly summary: string; readonly files: MarkedFiles }
  | Exclude<CompactionEnd, { readonly kind: 'done' }>;

/** Writes the summary of one compaction. */
export type Writer = {
  readonly draft: (signal: AbortSignal) => Promise<Drafted>;
  /** Once more, told what was wrong with the first. */
  readonly redraft: (problems: readonly string[], signal: AbortSignal) => Promise<Drafted>;
};

export function toFailure(
  end: Extract<RunEnd, { readonly kind: 'failed' | 'cancelled' }>,
  signal: AbortSignal,
): Exclude<CompactionEnd, { readonly kind: 'done' }> {
  if (end.kind === 'cancelled') return toCancelled(signal.reason);
  const { fault } = end;
  if (fault.code !== 'provider_error') return { kind: 'refused', fault };
  const says = `the compactor's model failed: ${fault.message}`;
  return {
    kind: 'failed',
    cause: 'provider',
    says,
    ...(isTooLong(fault) ? { isTooLong: true } : {}),
  };
}

/** The compactor's own deadline is a failure of its; whatever else ends it was meant. */
export function toCancelled(reason: unknown): Exclude<CompactionEnd, { readonly kind: 'done' }> {
  return reason instanceof Cancelled && reason.why.kind === 'deadline'
    ? { kind: 'failed', cause: 'deadline', says: reason.message }
    : { kind: 'cancelled' };
}
