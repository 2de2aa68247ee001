import type { Result } from '../core/result.ts';

/** Where a kept output lies. `bytesGone` are those of its middle, where it was larger than one kept output may be. */
export type KeptOutput = { readonly path: string; readonly bytesGone: number };

/** Outputs of tools that are too long for a model, kept whole in files that the Pod's own Read opens. */
export type Spool = {
  /**
   * On disk when it answers, whole or not at all. What it can't keep it refuses, with the reason in words for a model;
   * it makes room by dropping the oldest. It stops soon after its signal aborts, with the signal's reason.
   */
  readonly keep: (
    output: { readonly tool: string; readonly text: string },
    signal: AbortSignal,
  ) => Promise<Result<KeptOutput, string>>;
};
