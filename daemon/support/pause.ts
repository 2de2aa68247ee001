import { setImmediate, setTimeout } from 'node:timers/promises';

/**
 * Waits; 0 gives way to other work once. Rejects with the signal's reason at once when that aborts; leaves no timer and no
 * listener.
 */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    if (ms === 0) await setImmediate(undefined, { signal });
    else await setTimeout(ms, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
