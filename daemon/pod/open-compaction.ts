import type { Compacted } from '../../protocol/methods.ts';
import { type CancelCause, Cancelled } from '../core/cancel.ts';
import type { SeenRequest } from '../core/entry.ts';
import { linkedController } from '../support/with-deadline.ts';
import type { Deferred } from '../support/deferred.ts';
import type { OpenRun } from './open-run.ts';
import { Quiet } from './quiet.ts';

/** A `Compact`, and all who wait for its answer. */
export type AskedCompaction = {
  readonly instructions: string | null;
  /** Tokens; null: the manifest's. */
  readonly retainedTokens: number | null;
  readonly seen: Pick<SeenRequest, 'method' | 'requestId' | 'hash'> | null;
  readonly answers: Deferred<Compacted>[];
};

export type CompactionTrigger =
  | { readonly kind: 'afterRun' | 'beforeRequest'; readonly threshold: number }
  /** `says` is what the provider refused it with. */
  | { readonly kind: 'tooLong'; readonly says: string }
  | { readonly kind: 'asked' };

/** The compaction that is under way: alone, or in a run whose cancel is its cancel. */
export class OpenCompaction {
  readonly run: OpenRun | null;
  readonly trigger: CompactionTrigger;
  readonly asked: AskedCompaction | null;
  readonly quiet: Quiet;
  readonly #controller: Disposable & { readonly controller: AbortController };

  constructor(run: OpenRun | null, trigger: CompactionTrigger, asked: AskedCompaction | null) {
    this.run = run;
    this.trigger = trigger;
    this.asked = asked;
    // What a run's compactor has under way is the run's.
    this.quiet = run?.quiet ?? new Quiet(null);
    this.#controller = linkedController(run?.signal ?? new AbortController().signal);
  }

  get signal(): AbortSignal {
    return this.#controller.controller.signal;
  }

  cancel(why: CancelCause): void {
    this.#controller.controller.abort(new Cancelled(why));
  }

  over(): void {
    this.#controller[Symbol.dispose]();
    if (this.run === null) this.quiet.over();
  }
}
