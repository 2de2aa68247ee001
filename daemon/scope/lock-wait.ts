import { setTimeout } from 'node:timers/promises';

export type LockWait<T> = {
  readonly limitMs: number;
  /**
   * Pauses between two attempts, drawn anew each time so that waiters do not march in step. They are as short as `min`
   * in the beginning and may grow to `max`: a crowd that has waited long must not keep the holder from its work.
   */
  readonly pauseMs: { readonly min: number; readonly max: number };
  /** Null: it is somebody else's. */
  readonly attempt: () => Promise<T | null>;
};

/** Tries until it has the lock. Null when the time is over; throws the signal's reason when it aborts. */
export async function waitForLock<T extends AsyncDisposable>(
  { limitMs, pauseMs, attempt }: LockWait<T>,
  signal: AbortSignal,
): Promise<T | null> {
  const begun = performance.now();
  const end = begun + limitMs;
  for (;;) {
    signal.throwIfAborted();
    const held = await attempt();
    if (held !== null) {
      if (!signal.aborted) return held;
      await held[Symbol.asyncDispose]();
      continue;
    }
    if (performance.now() >= end) return null;
    const longest = Math.min(pauseMs.max, pauseMs.min + (performance.now() - begun) / 8);
    await pause(pauseMs.min + Math.random() * (longest - pauseMs.min), signal);
  }
}

/** Throws the signal's reason, not the timer's. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal }).catch(() => undefined);
  signal.throwIfAborted();
}
