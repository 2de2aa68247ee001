import type { LifeEvent, PodState } from '../core/pod-state.ts';
import { nextPodState, toWireState } from '../core/pod-state.ts';
import type { Journal } from '../ports/journal.ts';
import { ignore } from '../support/deferred.ts';

/** Owns the Pod's state: the one place that moves it, and tells subscribers. */
export class Life {
  readonly #journal: Pick<Journal, 'commit'>;
  #state: PodState = { kind: 'starting' };

  constructor(journal: Pick<Journal, 'commit'>) {
    this.#journal = journal;
  }

  get state(): PodState {
    return this.#state;
  }

  move(event: LifeEvent): void {
    this.#state = nextPodState(this.#state, event);
  }

  moveAndTell(event: LifeEvent): void {
    // At once, so that an event that does not fit is met where it is sent.
    this.move(event);
    ignore(this.#tell(), 'an event alone touches no disk');
  }

  /** Resolves when subscribers were told. */
  async tell(event: LifeEvent): Promise<void> {
    this.move(event);
    await this.#tell();
  }

  async #tell(): Promise<void> {
    await this.#journal.commit({ events: [{ event: 'state', data: toWireState(this.#state) }] });
  }
}
