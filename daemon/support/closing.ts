import { invariant } from '../core/assert.ts';

/** Owns resources and closes them in reverse order. Node 20 has no AsyncDisposableStack. */
export class Closing implements AsyncDisposable {
  #owned: { readonly label: string; readonly resource: AsyncDisposable }[] = [];
  #closed: Promise<void> | undefined;

  use<T extends AsyncDisposable>(label: string, resource: T): T {
    invariant(this.#closed === undefined, `${label} was opened after its owner closed`);
    this.#owned.push({ label, resource });
    return resource;
  }

  /** Hands everything to a new owner; this one then closes nothing. */
  move(): Closing {
    const heir = new Closing();
    heir.#owned = this.#owned;
    this.#owned = [];
    return heir;
  }

  /** Idempotent: a second close waits for the first, and whoever was first gets the error. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#closeAll();
    return this.#closed;
  }

  async #closeAll(): Promise<void> {
    const failures: Error[] = [];
    for (const { label, resource } of this.#owned.reverse()) {
      try {
        await resource[Symbol.asyncDispose]();
      } catch (cause) {
        failures.push(new Error(`closing ${label} failed`, { cause }));
      }
    }
    if (failures.length > 0)
      throw new AggregateError(failures, `${failures.length} resources failed to close`);
  }
}
