/**
 * Waits for `work`, but no longer than `graceMs` after `signal` aborted; then it rejects with the signal's reason and
 * `work` goes on without anybody waiting for it. Leaves no timer and no listener behind.
 */
export async function waitOrAbandon<T>(
  work: Promise<T>,
  signal: AbortSignal,
  graceMs: number,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let listener: (() => void) | undefined;
  const abandoned = new Promise<never>((_resolve, reject) => {
    listener = () => {
      timer = setTimeout(() => {
        reject(signal.reason as Error);
      }, graceMs);
    };
    if (signal.aborted) listener();
    else signal.addEventListener('abort', listener, { once: true });
  });
  try {
    return await Promise.race([work, abandoned]);
  } finally {
    clearTimeout(timer);
    if (listener !== undefined) signal.removeEventListener('abort', listener);
  }
}
