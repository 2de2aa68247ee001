import type { RunId } from '../core/ids.ts';
import { Askers } from './askers.ts';
import type { Asker } from './askers.ts';

/** Who waits for inputs that wait themselves. The inputs are in the journal; who waits is gone with the process. */
export class QueueAskers {
  readonly #byRun = new Map<RunId, Askers>();

  /** What waits for acceptance only has it: the input is stored. */
  add(runId: RunId, ...askers: readonly Asker[]): void {
    for (const asker of askers)
      if (asker.wait === 'accepted') asker.answer.resolve({ runId });
      else this.#of(runId).add(asker);
  }

  /** Hands them over to the run that begins, or to whoever tells them that it never will. */
  take(runId: RunId): readonly Asker[] {
    const askers = this.#byRun.get(runId)?.take() ?? [];
    this.#byRun.delete(runId);
    return askers;
  }

  takeAll(): readonly Asker[] {
    return [...this.#byRun.keys()].flatMap((runId) => this.take(runId));
  }

  #of(runId: RunId): Askers {
    const askers = this.#byRun.get(runId) ?? new Askers();
    this.#byRun.set(runId, askers);
    return askers;
  }
}
