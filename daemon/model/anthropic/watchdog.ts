import { Fault } from '../../core/fault.ts';
import { linkedController } from '../../support/with-deadline.ts';

/** PROV-9, in milliseconds. */
export type Timeouts = {
  readonly connectMs: number;
  /** From the request to the first event of the answer. */
  readonly firstEventMs: number;
  /** Without a byte of the answer, pings counted. */
  readonly idleMs: number;
};

/** A server that is at work on a long call sends nothing but pings for minutes: no silence, but not for ever either. */
const SILENCES_MAX = 5;
/** The answer is whole: its connection has this long to end, or is dropped. */
const LAST_MS = 1000;

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
      isLast ? LAST_MS : this.#timeouts.idleMs * SILENCES_MAX,
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
