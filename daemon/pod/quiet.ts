import type { Reply } from '../../protocol/methods.ts';
import { Activity } from '../core/activity.ts';
import type { RunId } from '../core/ids.ts';
import { LIMITS } from '../core/limits.ts';
import type { Deferred } from '../support/deferred.ts';

/** What work has under way, and those who wait until nothing of it is left (PROTO-21). */
export class Quiet {
  readonly activity: Activity;
  /** Null for work that is no run's. */
  readonly #run: RunId | null;
  #waiters: Deferred<Reply<'Cancel'>>[] = [];
  #isOver = false;

  constructor(run: RunId | null) {
    this.#run = run;
    this.activity = new Activity(() => {
      this.#settle();
    });
  }

  /** Answered when nothing of the work is left. */
  wait(answer: Deferred<Reply<'Cancel'>>): void {
    this.#waiters.push(answer);
    // The oldest has been told by its own deadline, or is about to be.
    if (this.#waiters.length > LIMITS.askersOfRun) this.#waiters.shift()?.resolve(this.survivors());
    this.#settle();
  }

  /** Answers those who still wait with what is left. */
  tellSurvivors(): void {
    const survivors = this.survivors();
    for (const waiter of this.#waiters) waiter.resolve(survivors);
    this.#waiters = [];
  }

  /** For a `Cancel` that waits no longer. */
  survivors(): Reply<'Cancel'> {
    const survivors = this.activity.list().map(({ kind, id }) => ({ kind, id }));
    if (!this.#isOver && survivors.length === 0)
      survivors.push({ kind: 'request', id: this.#run ?? 'compaction' });
    return { runId: this.#run, quiescent: false, survivors };
  }

  over(): void {
    this.#isOver = true;
    this.#settle();
  }

  #settle(): void {
    if (!this.#isOver || this.activity.list().length > 0) return;
    for (const waiter of this.#waiters)
      waiter.resolve({ runId: this.#run, quiescent: true, survivors: [] });
    this.#waiters = [];
  }
}
