import type { PodEventBody } from '../protocol/events.ts';
import { EVENTS } from '../protocol/events.ts';
import { isRecord } from './errors.ts';

/** An event with its place: `epoch` is the daemon's start, `seq` its number in it, `ts` Unix time in milliseconds. */
export type PodEvent = PodEventBody & {
  readonly epoch: number;
  readonly seq: number;
  readonly ts: number;
};

/** Events that were taken from the socket and not by their reader. Beyond it the socket waits. */
const UNREAD_UNITS_MAX = 8 * 1024 * 1024;

type Next = IteratorResult<PodEvent, undefined>;

/**
 * Events from the moment it was made, in order, for one reader. It ends when the connection does, whatever ended it:
 * what was waited for and did not come is the reader's to judge.
 */
export class EventStream implements AsyncIterableIterator<PodEvent, undefined>, Disposable {
  readonly #onChange: () => void;
  #unread: { readonly event: PodEvent; readonly units: number }[] = [];
  #unreadUnits = 0;
  #readers: ((next: Next) => void)[] = [];
  #ended = false;

  /** `onChange` is told when something was read and when the stream ends. */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  get full(): boolean {
    return this.#unreadUnits > UNREAD_UNITS_MAX;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** `units` is what the event's line has in UTF-16 units. */
  push(event: PodEvent, units: number): void {
    if (this.#ended) return;
    const reader = this.#readers.shift();
    if (reader !== undefined) {
      reader({ done: false, value: event });
      return;
    }
    this.#unread.push({ event, units });
    this.#unreadUnits += units;
  }

  /** What came before is still read. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const reader of this.#readers.splice(0)) reader({ done: true, value: undefined });
    this.#onChange();
  }

  next(): Promise<Next> {
    const first = this.#unread.shift();
    if (first !== undefined) {
      this.#unreadUnits -= first.units;
      this.#onChange();
      return Promise.resolve({ done: false, value: first.event });
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => {
      this.#readers.push(resolve);
    });
  }

  /** Leaving a `for await` ends the stream and gives up what is unread. */
  return(): Promise<Next> {
    this.#unread = [];
    this.#unreadUnits = 0;
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  [Symbol.dispose](): void {
    this.#unread = [];
    this.#unreadUnits = 0;
    this.end();
  }
}

/** The params of an `Event` notification as an event; null for one that this client does not know. */
export function toPodEvent(params: unknown): PodEvent | null {
  if (!isRecord(params)) return null;
  const { epoch, seq, ts, event, data } = params;
  if (typeof epoch !== 'number' || typeof seq !== 'number' || typeof ts !== 'number') return null;
  if (typeof event !== 'string' || !Object.hasOwn(EVENTS, event) || !isRecord(data)) return null;
  // A daemon of a later version may add fields, so data is not held against the strict schema.
  return { epoch, seq, ts, event, data } as PodEvent;
}
