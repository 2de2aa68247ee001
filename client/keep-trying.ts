import { setTimeout as sleep } from 'node:timers/promises';
import { CLIENT_LIMITS } from './limits.ts';
import { PodError, type PodErrorCode } from './pod-error.ts';

/**
 * Pauses that grow: the n-th lies between half and the whole of first · 2ⁿ, at most of `lastMs`. The chance in it keeps
 * the clients of a Pod that comes back from all coming at once.
 */
export class Backoff {
  readonly #random: () => number;
  #failures = 0;

  /** `random` answers from 0 up to 1. */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  nextMs(): number {
    const { redialFirstMs, redialLastMs } = CLIENT_LIMITS;
    // 2 ** 20 is past any bound, and no infinity.
    const wholeMs = Math.min(redialLastMs, redialFirstMs * 2 ** Math.min(this.#failures, 20));
    this.#failures += 1;
    return wholeMs * (0.5 + this.#random() / 2);
  }

  /** What was tried has come to something. */
  reset(): void {
    this.#failures = 0;
  }
}

export type Trying = {
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  readonly backoff: Backoff;
};

/** What may be otherwise in a moment: a Pod that is being started again is not there, or does not answer. */
const PASSING: readonly PodErrorCode[] = ['unreachable', 'disconnected', 'no_answer'];

/** Whether trying again may help. A socket of another user, or a file that is none, stays what it is. */
export function mayPass(error: unknown): error is PodError {
  if (!(error instanceof PodError) || !PASSING.includes(error.code)) return false;
  if (error.code !== 'unreachable') return true;
  const code = error.cause instanceof Error && 'code' in error.cause ? error.cause.code : undefined;
  return code !== 'EACCES' && code !== 'ENOTSOCK' && code !== 'EPROTOTYPE';
}

/**
 * Does `attempt` until it succeeds. Throws what can't pass at once, the last failure when the deadline has, and the
 * signal's reason when that aborts.
 */
export async function keepTrying<T>(
  attempt: (leftMs: number) => Promise<T>,
  { deadlineMs, signal, backoff }: Trying,
): Promise<T> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    signal.throwIfAborted();
    const leftMs = Math.max(1, end - performance.now());
    try {
      return await attempt(leftMs);
    } catch (error) {
      signal.throwIfAborted();
      if (!mayPass(error)) throw error;
      const pauseMs = backoff.nextMs();
      if (performance.now() + pauseMs >= end) throw gaveUp(error, deadlineMs);
      await pause(pauseMs, signal);
    }
  }
}

/** Throws the signal's own reason, not an error about it. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

function gaveUp(last: PodError, deadlineMs: number): PodError {
  const { code, message, data } = last;
  return new PodError(code, `${message} (tried for ${Math.round(deadlineMs)} ms)`, {
    cause: last,
    data,
  });
}
