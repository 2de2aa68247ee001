/** A promise with its two ends outside. Whoever makes one sees to it that it settles. */
export type Deferred<T> = {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
};

export function deferred<T>(): Deferred<T> {
  let ends: Pick<Deferred<T>, 'resolve' | 'reject'> | undefined;
  const promise = new Promise<T>((resolve, reject) => {
    ends = { resolve, reject };
  });
  // The executor above ran before the constructor returned.
  return { promise, ...(ends as Pick<Deferred<T>, 'resolve' | 'reject'>) };
}

/** For a promise whose failure is told elsewhere, or to nobody. `why` is for the reader. */
export function ignore(promise: Promise<unknown>, why: string): void {
  promise.catch(() => why);
}
