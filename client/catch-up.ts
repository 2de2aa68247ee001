import {
  DELTAS,
  EVENTS,
  type Delta,
  type EventName,
  type PodEventBody,
} from '../protocol/events.ts';
import type { InFlight, Reply } from '../protocol/methods.ts';
import type { PodEvent } from './pod-client.ts';

/** A moment in a Pod's events. */
export type Position = { readonly epoch: number; readonly seq: number };

/**
 * Here events are missing. `missed` of this epoch are gone from the Pod's memory; with `reset` the Pod was started again
 * as well, and what came at the end of `after`'s epoch is not known. What they told of is in `GetHistory`.
 */
export type Gap = {
  readonly event: 'gap';
  readonly epoch: number;
  /** Of the last event that is missing. */
  readonly seq: number;
  readonly data: {
    readonly missed: number;
    readonly reset: boolean;
    /** The last one that came before the gap. */
    readonly after: Position;
    /** The newest there was when this was found: those up to it come next. */
    readonly upTo: number;
  };
};

export type StreamedEvent = PodEvent | Gap;

type DeltaEvent = Extract<PodEvent, Delta>;

/** Blocks and calls have numbers and names of their own. */
type Key = number | string;

export type CatchUpOptions = {
  readonly after?: Position | undefined;
  /** Only these are told; a gap always is. */
  readonly events?: readonly EventName[] | undefined;
  /** Unix time in milliseconds, for the deltas that are made here. */
  readonly now?: () => number;
};

/**
 * Joins the events of one connection after the other: each once and in order, a hole as a `gap`. Pure. The text that was
 * streamed meanwhile comes as a delta at the offset where it belongs, made of `inFlight`.
 */
export class CatchUp {
  readonly #wanted: ReadonlySet<EventName> | null;
  readonly #now: () => number;
  #at: Position | undefined;
  /** How much of each open block or call was told, without a hole, in UTF-16 units. */
  readonly #told = new Map<Key, number>();
  /** What was in flight at `seq`, until the replay has come that far. */
  #owed: { readonly seq: number; readonly pieces: readonly InFlight[] } | null = null;

  constructor({ after, events, now = Date.now }: CatchUpOptions = {}) {
    this.#at = after;
    this.#wanted = events === undefined ? null : new Set(events);
    this.#now = now;
  }

  /** Of the last event that was told, and what to subscribe `after`. */
  get position(): Position | undefined {
    return this.#at;
  }

  /** What to subscribe to. All events with a number: by them it is seen that none is missing. */
  get events(): EventName[] | undefined {
    if (this.#wanted === null) return undefined;
    return [...new Set([...NUMBERED, ...this.#wanted])];
  }

  /** A `Subscribe` was answered; what comes next is of its connection. */
  subscribed(answer: Reply<'Subscribe'>): StreamedEvent[] {
    const { epoch, seq, missed, reset, inFlight, notices } = answer;
    const before = this.#at;
    const fresh: StreamedEvent[] = [];
    if (before === undefined) this.#at = { epoch, seq };
    else {
      this.#at = { epoch, seq: reset ? missed : before.seq + missed };
      if (reset || missed > 0) {
        fresh.push({
          event: 'gap',
          ...this.#at,
          data: { missed, reset, after: before, upTo: seq },
        });
        // The replay does not bring them, nothing else of the gap is left.
        fresh.push(...(notices as PodEvent[]));
      }
    }
    const open = new Set(inFlight.map(keyOf));
    for (const key of this.#told.keys()) if (reset || !open.has(key)) this.#told.delete(key);
    this.#owed = { seq, pieces: inFlight };
    if (this.#at.seq >= seq) fresh.push(...this.#settle());
    return this.#filter(fresh);
  }

  /** An event came; answers what there is to tell. */
  take(event: PodEvent): StreamedEvent[] {
    if (isDelta(event) || event.event === 'lagged') {
      // Deltas are not replayed: the first one is of now.
      const fresh: StreamedEvent[] = this.#settle();
      if (isDelta(event)) this.#measure(event);
      return this.#filter([...fresh, event]);
    }
    const { epoch, seq } = event;
    const at = this.#at ?? { epoch, seq: seq - 1 };
    if (epoch !== at.epoch || seq <= at.seq) return [];
    const fresh: StreamedEvent[] = seq > (this.#owed?.seq ?? seq) ? this.#settle() : [];
    const missed = seq - at.seq - 1;
    if (missed > 0)
      fresh.push({
        event: 'gap',
        epoch,
        seq: seq - 1,
        data: { missed, reset: false, after: at, upTo: seq },
      });
    this.#at = { epoch, seq };
    this.#project(event);
    fresh.push(event);
    if (seq >= (this.#owed?.seq ?? seq + 1)) fresh.push(...this.#settle());
    return this.#filter(fresh);
  }

  #filter(events: readonly StreamedEvent[]): StreamedEvent[] {
    const wanted = this.#wanted;
    if (wanted === null) return [...events];
    return events.filter(({ event }) => event === 'gap' || wanted.has(event));
  }

  /** What was streamed and is not told yet. */
  #settle(): PodEvent[] {
    const owed = this.#owed;
    const at = this.#at;
    this.#owed = null;
    if (owed === null || at === undefined) return [];
    const stamp = { epoch: at.epoch, seq: owed.seq, ts: this.#now() };
    return owed.pieces.flatMap((piece) => {
      const told = this.#told.get(keyOf(piece));
      this.#told.set(keyOf(piece), piece.text.length);
      return toBodies(piece, told).map((body) => ({ ...stamp, ...body }));
    });
  }

  #measure(event: DeltaEvent): void {
    const { data } = event;
    const key = 'block' in data ? data.block : data.callId;
    const told = this.#told.get(key) ?? 0;
    const text = 'json' in data ? data.json : data.text;
    // Behind a hole: what is in it was dropped, and the whole text comes later.
    if (data.offset <= told) this.#told.set(key, Math.max(told, data.offset + text.length));
  }

  #project(event: PodEvent): void {
    const told = this.#told;
    if (event.event === 'tool_call_start')
      told.set(event.data.block, told.get(event.data.block) ?? 0);
    else if (
      event.event === 'text_done' ||
      event.event === 'reasoning_done' ||
      event.event === 'tool_call_done'
    )
      told.delete(event.data.block);
    else if (event.event === 'tool_result') told.delete(event.data.callId);
    else if (event.event === 'retry') for (const block of event.data.discarded) told.delete(block);
    else if (event.event === 'run_end' || event.event === 'error') told.clear();
  }
}

/** All that are in the Pod's ring, and `lagged`. */
const NUMBERED = (Object.keys(EVENTS) as EventName[]).filter((name) => !isDeltaName(name));

function isDeltaName(name: EventName): boolean {
  return (DELTAS as readonly EventName[]).includes(name);
}

function isDelta(event: PodEvent): event is DeltaEvent {
  return isDeltaName(event.event);
}

function keyOf({ block, callId = '' }: InFlight): Key {
  return block ?? callId;
}

/** What of the piece comes after `told`. Undefined: nobody told that it is there. */
function toBodies(piece: InFlight, told: number | undefined): PodEventBody[] {
  const { kind, block = 0, callId = '', name = '' } = piece;
  const offset = told ?? 0;
  const text = piece.text.slice(offset);
  const bodies: PodEventBody[] = [];
  if (kind === 'tool_call' && told === undefined)
    bodies.push({ event: 'tool_call_start', data: { block, callId, name } });
  if (text === '') return bodies;
  switch (kind) {
    case 'text':
      bodies.push({ event: 'text_delta', data: { block, offset, text } });
      break;
    case 'reasoning':
      bodies.push({ event: 'reasoning_delta', data: { block, offset, text } });
      break;
    case 'tool_call':
      bodies.push({ event: 'tool_call_args_delta', data: { block, callId, offset, json: text } });
      break;
    case 'tool_output':
      bodies.push({ event: 'tool_output', data: { callId, offset, text } });
      break;
  }
  return bodies;
}
