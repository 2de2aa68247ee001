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

type Shown = { readonly state: StateName; readonly sessionId: string };

/** Keeps `status.json` at the newest state. One write at a time; states that passed meanwhile are never written. */
export class StatusFile implements AsyncDisposable {
  readonly #path: string;
  readonly #facts: StatusFacts;
  readonly #clock: Clock;
  readonly #log: Log;
  #wanted: Shown;
  #written: Shown | null = null;
  #writing: Promise<void> | null = null;

  constructor(
    path: string,
    facts: StatusFacts,
    parts: { readonly clock: Clock; readonly log: Log },
  ) {
    this.#path = path;
    this.#facts = facts;
    this.#wanted = { state: 'starting', sessionId: facts.sessionId };
    this.#clock = parts.clock;
    this.#log = parts.log;
  }

  show(state: StateName): void {
    // Phases come by the dozen. And a write with nothing to do would end before it is held.
    if (state === this.#wanted.state) return;
    this.#want({ ...this.#wanted, state });
  }

  showSession(sessionId: string): void {
    this.#want({ ...this.#wanted, sessionId });
  }

  #want(shown: Shown): void {
    this.#wanted = shown;
    this.#writing ??= this.#write();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    try {
      while (this.#written !== this.#wanted) {
        const shown = this.#wanted;
        const status = { ...this.#facts, ...shown, updatedAt: this.#clock.now() };
        await replaceVolatile(this.#path, `${JSON.stringify(status)}\n`);
        this.#written = shown;
      }
    } catch (error) {
      this.#log.warn('status.json could not be written', { err: error });
    } finally {
      this.#writing = null;
    }
  }
}
