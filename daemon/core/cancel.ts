export type CancelCause =
  | { readonly kind: 'client' }
  | { readonly kind: 'shutdown' }
  | { readonly kind: 'disconnected' }
  | { readonly kind: 'deadline'; readonly what: string; readonly limitMs: number };

/** Somebody stopped the work on purpose. It is the `reason` of a signal; nobody logs it as an error. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled';
  readonly why: CancelCause;

  constructor(why: CancelCause) {
    super(
      why.kind === 'deadline'
        ? `${why.what} took longer than ${why.limitMs} ms`
        : `cancelled by ${why.kind}`,
    );
    this.why = why;
  }
}
