import { Cancelled } from '../core/cancel.ts';

/**
 * Runs `work` under the parent's signal and a deadline of its own. Leaves no timer and no listener behind.
 * It waits for `work` itself, which has to end when its signal aborts.
 */
export async function withDeadline<T>(
  parent: AbortSignal,
  limit: { readonly what: string; readonly ms: number },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  parent.throwIfAborted();
  using own = linkedController(parent);
  const timer = setTimeout(() => {
    own.controller.abort(new Cancelled({ kind: 'deadline', what: limit.what, limitMs: limit.ms }));
  }, limit.ms);
  try {
    return await work(own.controller.signal);
  } finally {
    clearTimeout(timer);
  }
}

/** A child of `parent`. A linked listener: on Node 20 `AbortSignal.any` keeps what it returns as long as the parent lives. */
export function linkedController(
  parent: AbortSignal,
): Disposable & { readonly controller: AbortController } {
  const controller = new AbortController();
  const follow = (): void => {
    controller.abort(parent.reason);
  };
  if (parent.aborted) follow();
  else parent.addEventListener('abort', follow, { once: true });
  return {
    controller,
    [Symbol.dispose]: () => {
      parent.removeEventListener('abort', follow);
    },
  };
}
