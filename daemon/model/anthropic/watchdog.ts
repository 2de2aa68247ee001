import { Fault } from '../../core/fault.ts';
import { LIMITS } from '../../core/limits.ts';
import { linkedController } from '../../support/with-deadline.ts';

/** PROV-9, in milliseconds. */
export type Timeouts = {
  readonly connectMs: number;
  /** From the request to the first event of the answer. */
  readonly firstEventMs: number;
  /** Without a byte of the answer, pings counted. */
  readonly idleMs: number;
};

/** Ends a request that is told to end, or that says nothing for too long. Silence on the wire is the connection's own matter. */
export class Watchdog implements Disposable {
  readonly #timeouts: Timeouts;
  readonly #own: ReturnType<typeof linkedController>;
  #timer: NodeJS.Timeout;
  readonly signal: AbortSignal;

  constructor(timeouts: Timeouts, asked: AbortSignal) {
    this.#timeouts = timeouts;
    this.#own = linkedController(asked);
    this.signal = this.#own.controller.signal;
    this.#timer = this.#wait('first_event_timeout', timeouts.firstEventMs);
  }

  heard(isLast = false): void {
    clearTimeout(this.#timer);
    this.#timer = this.#wait(
      'events_timeout',
      isLast ? LIMITS.answerEndMs : this.#timeouts.idleMs * LIMITS.idlePings,
    );
  }

  #wait(reason: string, ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      const says = `the model said nothing for ${ms} ms`;
      const data = { reason, retryable: true };
      this.#own.controller.abort(new Fault('provider_error', says, { data }));
    }, ms);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#own[Symbol.dispose]();
  }
}
