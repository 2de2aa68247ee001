import { LIMITS } from './limits.ts';

/**
 * Milliseconds to wait before a request is sent again (PROV-4), or null: not worth the wait. `attempt` counts from 1 and
 * is the one that failed; `retryAfterMs` is what the server asked for, `random` is from 0 to below 1. Without a wish of the
 * server's it is exponential with full jitter, so that Pods that failed together don't come back together.
 */
export function retryDelay(
  attempt: number,
  retryAfterMs: number | null,
  random: number,
): number | null {
  if (retryAfterMs !== null) return retryAfterMs > LIMITS.retryAfterMs ? null : retryAfterMs;
  const ceiling = Math.min(LIMITS.retryMaxMs, LIMITS.retryBaseMs * 2 ** (attempt - 1));
  return Math.round(random * ceiling);
}
