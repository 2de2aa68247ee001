import type { Delta, EventName, EventParams, Numbered } from '../../protocol/events.ts';
import { DELTAS } from '../../protocol/events.ts';
import { encodeLine } from '../../protocol/framing.ts';
import type { InFlight } from '../../protocol/methods.ts';
import { InFlightView } from '../core/in-flight.ts';
import { LIMITS } from '../core/limits.ts';
import type { Clock } from '../ports/clock.ts';

/** Where the hub's lines go: one connection. */
export type Subscriber = {
  readonly unsentBytes: () => number;
  readonly send: (line: Buffer) => void;
  /** Too far behind: the connection is over. */
  readonly disconnect: () => void;
};

type Kept = { readonly seq: number; readonly event: EventName; readonly line: Buffer };

type Subscription = {
  readonly subscriber: Subscriber;
  wanted: ReadonlySet<EventName> | null;
  missed: number;
};

const DELTA_NAMES: ReadonlySet<EventName> = new Set(DELTAS);

/**
 * Numbers events and fans them out, each encoded once. It remembers the newest ones for those who come back, and what
 * is in flight for those who come late. A reader that is behind loses deltas, then its connection; it never slows a run.
 */
export class EventHub {
  readonly #epoch: number;
  readonly #clock: Clock;
  readonly #subscriptions = new Map<Subscriber, Subscription>();
  readonly #inFlight = new InFlightView();
  // `#first` is the index of the oldest event kept; the places before it are emptied.
  #ring: (Kept | null)[] = [];
  #first = 0;
  #ringBytes = 0;
  #notices: EventParams[] = [];
  #seq = 0;

  constructor(epoch: number, clock: Clock) {
    this.#epoch = epoch;
    this.#clock = clock;
  }

  get seq(): number {
    return this.#seq;
  }

  /** Called by the journal alone, once what the events tell is on disk. */
  publish(events: readonly Numbered[]): void {
    for (const { event, data } of events) {
      this.#seq += 1;
      this.#inFlight.apply({ event, data } as Numbered);
      const params = this.#params(event, data);
      const line = toLine(params);
      this.#keep({ seq: this.#seq, event, line });
      if (event === 'notification') this.#note(params);
      this.#send(event, line);
    }
  }

  /** A piece of an answer that is not on disk yet. It has no number of its own. */
  delta(delta: Delta): void {
    this.#inFlight.applyDelta(delta);
    if (this.#subscriptions.size === 0) return;
    this.#send(delta.event, toLine(this.#params(delta.event, delta.data)));
  }

  inFlight(): InFlight[] {
    return this.#inFlight.list();
  }

  /**
   * Registers, or changes the filter of one that is. Everything is settled when it returns: the answer's `seq`, the
   * lines to replay right after the answer, and that each later event reaches the subscriber.
   */
  subscribe(
    subscriber: Subscriber,
    options: {
      readonly after?: { readonly epoch: number; readonly seq: number } | undefined;
      readonly events?: readonly EventName[] | undefined;
    },
  ): {
    epoch: number;
    seq: number;
    missed: number;
    reset: boolean;
    notices: EventParams[];
    replay: Buffer[];
  } {
    const wanted = options.events === undefined ? null : new Set(options.events);
    this.#subscriptions.set(subscriber, { subscriber, wanted, missed: 0 });
    const { after } = options;
    const oldest = this.#ring[this.#first]?.seq ?? this.#seq + 1;
    const reset = after !== undefined && (after.epoch !== this.#epoch || after.seq > this.#seq);
    const from = after === undefined ? this.#seq + 1 : reset ? oldest : after.seq + 1;
    const replayed = this.#ring.filter((kept) => kept !== null && kept.seq >= from);
    const firstReplayed = Math.max(from, oldest);
    return {
      epoch: this.#epoch,
      seq: this.#seq,
      missed: reset ? oldest - 1 : Math.max(0, firstReplayed - from),
      reset,
      notices: this.#notices.filter(
        ({ seq }) => after === undefined || (seq < firstReplayed && (reset || seq > after.seq)),
      ),
      replay: replayed.flatMap((kept) =>
        kept === null || wanted?.has(kept.event) === false ? [] : [kept.line],
      ),
    };
  }

  unsubscribe(subscriber: Subscriber): void {
    this.#subscriptions.delete(subscriber);
  }

  has(subscriber: Subscriber): boolean {
    return this.#subscriptions.has(subscriber);
  }

  #params(event: EventName, data: unknown): EventParams {
    return { epoch: this.#epoch, seq: this.#seq, ts: this.#clock.now(), event, data };
  }

  #send(event: EventName, line: Buffer): void {
    for (const subscription of this.#subscriptions.values()) {
      if (subscription.wanted !== null && !subscription.wanted.has(event)) continue;
      this.#sendTo(subscription, event, line);
    }
  }

  #sendTo(subscription: Subscription, event: EventName, line: Buffer): void {
    const { subscriber } = subscription;
    const unsent = subscriber.unsentBytes();
    if (DELTA_NAMES.has(event)) {
      if (unsent > LIMITS.unsentDeltaBytes) {
        subscription.missed += 1;
        return;
      }
      this.#tellLagged(subscription, this.#seq);
      subscriber.send(line);
      return;
    }
    if (unsent + line.length > LIMITS.unsentBytes) {
      this.#subscriptions.delete(subscriber);
      subscriber.disconnect();
      return;
    }
    // Before this event, so with the number of the one before it.
    this.#tellLagged(subscription, this.#seq - 1);
    subscriber.send(line);
  }

  // For one subscriber alone, so it takes no number and is in no ring.
  #tellLagged(subscription: Subscription, seq: number): void {
    if (subscription.missed === 0) return;
    const { missed } = subscription;
    subscription.missed = 0;
    subscription.subscriber.send(toLine({ ...this.#params('lagged', { missed }), seq }));
  }

  #keep(kept: Kept): void {
    this.#ring.push(kept);
    this.#ringBytes += kept.line.length;
    while (
      this.#ring.length - this.#first > LIMITS.ringEvents ||
      (this.#ringBytes > LIMITS.ringBytes && this.#ring.length - this.#first > 1)
    ) {
      this.#ringBytes -= this.#ring[this.#first]?.line.length ?? 0;
      this.#ring[this.#first] = null;
      this.#first += 1;
    }
    // Moved together now and then, so that dropping the oldest one costs no shift of the whole.
    if (this.#first > LIMITS.ringEvents) {
      this.#ring = this.#ring.slice(this.#first);
      this.#first = 0;
    }
  }

  #note(params: EventParams): void {
    this.#notices.push(params);
    if (this.#notices.length > LIMITS.notices) this.#notices.shift();
  }
}

function toLine(params: EventParams): Buffer {
  return Buffer.from(encodeLine({ jsonrpc: '2.0', method: 'Event', params }), 'utf8');
}
