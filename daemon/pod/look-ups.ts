import type { SeenRequest } from '../core/entry.ts';
import { Fault } from '../core/fault.ts';
import { LIMITS } from '../core/limits.ts';
import type { Journal } from '../ports/journal.ts';
import { ignore } from '../support/deferred.ts';
import { Semaphore } from '../support/semaphore.ts';
import { type Asker, Askers } from './askers.ts';
import { findRun, type FoundRun, type StoredRun } from './find-run.ts';

/** What was asked for again. */
export type AskedAgain = {
  readonly seen: Pick<SeenRequest, 'method' | 'requestId' | 'hash'>;
  /** Empty for a request that is not an input. */
  readonly text: string;
  /** It may wait behind a pause. */
  readonly queue: boolean;
  /** The log was read before, and did not have it. */
  readonly isReread?: boolean;
};

export type LookUp = {
  readonly asked: AskedAgain;
  readonly run: StoredRun;
  readonly askers: Askers;
};

/**
 * How runs ended is read beside the Pod's loop: one log at a time, once for all who ask for the same. What was found comes
 * back as an event, by `found`.
 */
export class LookUps {
  readonly #journal: Pick<Journal, 'runEnd'>;
  readonly #signal: AbortSignal;
  readonly #found: (lookUp: LookUp, found: FoundRun) => void;
  readonly #reader = new Semaphore(1);
  readonly #open = new Map<string, LookUp>();

  /** `signal` ends what is read. */
  constructor(
    journal: Pick<Journal, 'runEnd'>,
    signal: AbortSignal,
    found: (lookUp: LookUp, found: FoundRun) => void,
  ) {
    // Waiting for one's turn is part of the look, and of its deadline.
    const runEnd: Journal['runEnd'] = (...run) => this.#reader.use(() => journal.runEnd(...run));
    this.#journal = { runEnd };
    this.#signal = signal;
    this.#found = found;
  }

  begin(asked: AskedAgain, run: StoredRun, ...askers: readonly Asker[]): void {
    const key = keyOf(asked);
    const open = this.#open.get(key);
    if (open !== undefined) {
      open.askers.add(...askers);
      return;
    }
    if (this.#open.size >= LIMITS.lookUps) {
      const says = `${LIMITS.lookUps} answers are being looked up already`;
      for (const { answer } of askers) answer.reject(new Fault('busy', says));
      return;
    }
    const lookUp = { asked, run, askers: new Askers() };
    lookUp.askers.add(...askers);
    this.#open.set(key, lookUp);
    const look = async (): Promise<void> => {
      this.#found(lookUp, await findRun(this.#journal, run, this.#signal));
    };
    ignore(look(), 'its failure is in the event');
  }

  /** Its event is there. Answers who asked. */
  end(lookUp: LookUp): readonly Asker[] {
    this.#open.delete(keyOf(lookUp.asked));
    return lookUp.askers.take();
  }

  failAll(error: unknown): void {
    for (const lookUp of [...this.#open.values()])
      for (const { answer } of this.end(lookUp)) answer.reject(error);
  }
}

function keyOf({ seen }: AskedAgain): string {
  return `${seen.method} ${seen.requestId}`;
}
