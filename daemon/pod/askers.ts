import { Fault } from '../core/fault.ts';
import { LIMITS } from '../core/limits.ts';
import type { Reply } from '../../protocol/methods.ts';
import type { Deferred } from '../support/deferred.ts';

/** Who waits for a run, and for what of it. */
export type Asker = {
  readonly wait: 'ended' | 'accepted';
  readonly answer: Deferred<Reply<'Run'>>;
};

/**
 * Who waits for one run. A client that comes back again and again asks each time, and what it left behind can't be told
 * from one that waits: over the limit the oldest goes.
 */
export class Askers {
  #all: Asker[] = [];

  add(...askers: readonly Asker[]): void {
    this.#all.push(...askers);
    for (const { answer } of this.#all.splice(0, this.#all.length - LIMITS.askersOfRun))
      answer.reject(new Fault('busy', `${LIMITS.askersOfRun} newer requests wait for this run`));
  }

  take(): Asker[] {
    return this.#all.splice(0);
  }
}
