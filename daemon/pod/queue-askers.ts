import type { RunId } from '../core/ids.ts';
import type { Asker } from './open-run.ts';

/** Who waits for inputs that wait themselves. The inputs are in the journal; who waits is gone with the process. */
export class QueueAskers {
  readonly #byRun = new Map<RunId, Asker[]>();

  /** What waits for acceptance only has it: the input is stored. */
  add(runId: RunId, asker: Asker): void {
    if (asker.wait === 'accepted') {
      asker.answer.resolve({ runId });
      return;
    }
    this.#byRun.set(runId, [...(this.#byRun.get(runId) ?? []), asker]);
  }

  /** Hands them over to the run that begins, or to whoever tells them that it never will. */
  take(runId: RunId): readonly Asker[] {
    const askers = this.#byRun.get(runId) ?? [];
    this.#byRun.delete(runId);
    return askers;
  }

  takeAll(): readonly Asker[] {
    const all = [...this.#byRun.values()].flat();
    this.#byRun.clear();
    return all;
  }
}
