import type { StateName } from '../../protocol/state.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { replaceVolatile } from '../support/atomic-file.ts';

/** What scripts may read without asking the socket. It mirrors the Pod; nothing reads it back. */
export type StatusFacts = {
  readonly pod: string;
  readonly pid: number;
  readonly epoch: number;
  readonly version: string;
  readonly socket: string;
  readonly sessionId: string;
};

/** Keeps `status.json` at the newest state. One write at a time; states that passed meanwhile are never written. */
export class StatusFile implements AsyncDisposable {
  readonly #path: string;
  readonly #facts: StatusFacts;
  readonly #clock: Clock;
  readonly #log: Log;
  #wanted: StateName = 'starting';
  #written: StateName = 'starting';
  #writing: Promise<void> | null = null;

  constructor(
    path: string,
    facts: StatusFacts,
    parts: { readonly clock: Clock; readonly log: Log },
  ) {
    this.#path = path;
    this.#facts = facts;
    this.#clock = parts.clock;
    this.#log = parts.log;
  }

  show(state: StateName): void {
    // Phases come by the dozen. And a write with nothing to do would end before it is held.
    if (state === this.#wanted) return;
    this.#wanted = state;
    this.#writing ??= this.#write();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    try {
      while (this.#written !== this.#wanted) {
        const state = this.#wanted;
        const status = { ...this.#facts, state, updatedAt: this.#clock.now() };
        await replaceVolatile(this.#path, `${JSON.stringify(status)}\n`);
        this.#written = state;
      }
    } catch (error) {
      this.#log.warn('status.json could not be written', { err: error });
    } finally {
      this.#writing = null;
    }
  }
}
