import { Cancelled } from '../core/cancel.ts';
import { LIMITS } from '../core/limits.ts';
import { refuse, type Result } from '../core/result.ts';
import { waitOrAbandon } from '../support/abandon.ts';
import { withDeadline } from '../support/with-deadline.ts';
import { trackCall } from '../worker/track-call.ts';
import type { CompactorPorts } from './compaction-job.ts';

/** Work on one file that may hang in the kernel as any: it is given up then, and refused. */
export type ReadInTime = <T>(
  path: string,
  work: (signal: AbortSignal) => Promise<Result<T, string>>,
  signal: AbortSignal,
) => Promise<Result<T, string>>;

export function readInTime({ activity }: Pick<CompactorPorts, 'activity'>): ReadInTime {
  return async (path, work, signal) => {
    const limit = { what: `reading ${path}`, ms: LIMITS.toolMs };
    try {
      return await withDeadline(signal, limit, async (within) => {
        const reading = trackCall({ activity }, { callId: path }, work(within));
        return await waitOrAbandon(reading, within, LIMITS.toolAbortMs);
      });
    } catch (error) {
      if (error instanceof Cancelled && !signal.aborted) return refuse(error.message);
      throw error;
    }
  };
}
