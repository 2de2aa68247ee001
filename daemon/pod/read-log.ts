import { Cancelled } from '../core/cancel.ts';
import { Fault } from '../core/fault.ts';
import { LIMITS } from '../core/limits.ts';
import { waitOrAbandon } from '../support/abandon.ts';
import type { Semaphore } from '../support/semaphore.ts';
import { withDeadline } from '../support/with-deadline.ts';

/** `signal` aborts when nobody reads any more. */
export type LogReads = { readonly places: Semaphore; readonly signal: AbortSignal };

/** Reads the log for somebody who asked, under a deadline. What keeps it from that is a `storage_error`. */
export async function readLog<T>(
  places: Semaphore,
  signal: AbortSignal,
  read: (within: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = { what: 'reading the log', ms: LIMITS.readLogMs };
  try {
    return await withDeadline(signal, limit, async (within) => {
      const reading = places.use(async () => {
        within.throwIfAborted();
        return await read(within);
      });
      return await waitOrAbandon(reading, within, 0);
    });
  } catch (cause) {
    if (cause instanceof Fault && cause.code === 'unknown_session') throw cause;
    if (signal.aborted) throw new Fault('shutting_down', 'this Pod has stopped', { cause });
    const says = cause instanceof Cancelled || cause instanceof Fault ? `: ${cause.message}` : '';
    throw new Fault('storage_error', `the session store could not be read${says}`, { cause });
  }
}
