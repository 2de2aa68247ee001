import type { Numbered } from '../../protocol/events.ts';
import { invariant } from '../core/assert.ts';
import { Fault } from '../core/fault.ts';
import { LIMITS } from '../core/limits.ts';
import type { Deferred } from '../support/deferred.ts';
import type { Compactions } from './compactions.ts';
import type { Life } from './life.ts';
import type { Control, StopReason } from './pod-events.ts';
import type { PodParts } from './pod-parts.ts';
import type { Runs } from './runs.ts';

export type StopSurroundings = {
  readonly parts: PodParts;
  readonly life: Life;
  readonly runs: Runs;
  readonly compactions: Compactions;
  readonly after: (ms: number, event: Control) => void;
};

/** How a Pod stops: what is under way is ended or waited for, then the stop is recorded. Called by the Pod's loop alone. */
export class Stopping {
  readonly #waiters: Deferred<void>[] = [];
  #reason: StopReason | null = null;

  /** Null as long as nobody asked for it. */
  get reason(): StopReason | null {
    return this.#reason;
  }

  async onAsked(
    { parts, life, runs, compactions, after }: StopSurroundings,
    event: Extract<Control, { kind: 'stopAsked' }>,
  ): Promise<void> {
    this.#waiters.push(event.answer);
    if (this.#reason !== null) {
      // A second stop can only be more urgent.
      if (event.mode === 'now') {
        runs.open?.cancel({ kind: 'shutdown' });
        after(event.deadlineMs - LIMITS.stopAbandonMs, { kind: 'stopOverdue' });
      }
      return;
    }
    this.#reason = event.reason;
    if (event.reason === 'fenced') {
      const data = { epoch: parts.epoch };
      await parts.journal.commit({ events: [{ event: 'fenced', data }] });
    }
    life.moveAndTell({ kind: 'stopRequested' });
    const { alone } = compactions;
    if (runs.open === null && alone === null) {
      await this.finish({ parts, life });
      return;
    }
    // Nobody waits for what it would save: it is done later, if it is still due.
    alone?.cancel({ kind: 'shutdown' });
    if (event.mode === 'now') runs.open?.cancel({ kind: 'shutdown' });
    else after(event.deadlineMs - LIMITS.stopCancelMs, { kind: 'stopCancelDue' });
    after(event.deadlineMs - LIMITS.stopAbandonMs, { kind: 'stopOverdue' });
  }

  /** Ends what did not end in time, as far as anybody waits for it. */
  async onOverdue({ parts, life, runs, compactions }: StopSurroundings): Promise<void> {
    if (this.#reason === null) return;
    if (compactions.alone === null) {
      await runs.abandon();
      return;
    }
    compactions.abandon();
    await this.finish({ parts, life });
  }

  async finish({ parts, life }: Pick<StopSurroundings, 'parts' | 'life'>): Promise<void> {
    const reason = this.#reason;
    invariant(reason !== null, 'nobody asked for a stop');
    const at = parts.clock.now();
    const events: Numbered[] = [{ event: 'shutdown', data: { reason } }];
    try {
      await parts.journal.commit({ journal: [{ kind: 'stopped', at, reason }], events });
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      parts.log.error('the stop could not be recorded', { err: error });
    }
    parts.log.info('the Pod stops', { reason });
    life.move({ kind: 'drained' });
    for (const waiter of this.#waiters) waiter.resolve();
  }

  failAll(error: unknown): void {
    for (const waiter of this.#waiters) waiter.reject(error);
  }
}
