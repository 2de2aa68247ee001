import type { RunReport } from '../../protocol/report.ts';

/** What podctl ends with. `podctl run` tells how the run ended by it. */
export const EXIT = {
  ok: 0,
  /** The run failed, or the Pod refused. */
  failed: 1,
  paused: 2,
  limitReached: 3,
  cancelled: 4,
  usage: 64,
  /** No Pod is there, or it went away without an answer. */
  unreachable: 69,
  bug: 70,
  /** Left by a second Ctrl-C. */
  interrupted: 130,
  /** Whoever read the output is gone. */
  outputClosed: 141,
} as const;

export const EXIT_OF_OUTCOME: Readonly<Record<RunReport['outcome'], number>> = {
  finished: EXIT.ok,
  paused: EXIT.paused,
  limit_reached: EXIT.limitReached,
  cancelled: EXIT.cancelled,
};
