import type { Socket } from 'node:net';
import type { EventName } from '../protocol/events.ts';
import type { Reply } from '../protocol/methods.ts';
import { CatchUp, type Position, type StreamedEvent } from './catch-up.ts';
import { dial } from './connect.ts';
import { Backoff, keepTrying, pause } from './keep-trying.ts';
import { CLIENT_LIMITS } from './limits.ts';
import { PodClient, type PodEvent } from './pod-client.ts';
import { PodError } from './pod-error.ts';

/** The answer of a `Subscribe`: what the Pod was doing at that moment. */
export type Subscribed = Reply<'Subscribe'>;

export type EventsOptions = {
  /** What comes after this; without it, what happens from now on. */
  readonly after?: Position | undefined;
  /** Only these, and `gap`. */
  readonly events?: readonly EventName[] | undefined;
  readonly signal?: AbortSignal | undefined;
  /** How long a Pod that is gone is waited for, until the stream ends with a `PodError`. */
  readonly redialMs?: number | undefined;
  /** A connection was lost, or is there again. */
  readonly onConnection?: ((state: 'lost' | 'back') => void) | undefined;
};

type Waiter = {
  readonly resolve: (result: IteratorResult<StreamedEvent, undefined>) => void;
  readonly reject: (reason: unknown) => void;
};

/**
 * A Pod's events, each once and in order, over as many connections as it takes. What is missing is told as a `gap`. It
 * has a connection of its own, which is read as fast as the consumer takes events and no faster; it begins when it is
 * made, and ends when the iteration does.
 */
export class EventStream
  implements AsyncIterableIterator<StreamedEvent, undefined>, AsyncDisposable
{
  /** The first `Subscribe` is answered: what happens from then on comes here. */
  readonly ready: Promise<Subscribed>;
  readonly #path: string;
  readonly #options: EventsOptions;
  readonly #catchUp: CatchUp;
  readonly #backoff = new Backoff();
  readonly #stop = new AbortController();
  readonly #served: Promise<void>;
  #tellReady: (answer: Subscribed) => void = () => undefined;
  #failReady: (reason: unknown) => void = () => undefined;
  #queue: StreamedEvent[] = [];
  #waiters: Waiter[] = [];
  #socket: Socket | undefined;
  /** Of the socket, when the queue was empty last. */
  #readBytes = 0;
  #end: { readonly error: unknown } | undefined;

  constructor(path: string, options: EventsOptions = {}) {
    this.#path = path;
    this.#options = options;
    this.#catchUp = new CatchUp(options);
    this.ready = new Promise((resolve, reject) => {
      this.#tellReady = resolve;
      this.#failReady = reject;
    });
    // The iteration throws it too.
    this.ready.catch(() => undefined);
    this.#served = this.#serve();
  }

  /** Of the last event that came, for another stream to begin behind it. */
  get position(): Position | undefined {
    return this.#catchUp.position;
  }

  /** Resolves when it is over and nothing of it is left. */
  get closed(): Promise<void> {
    return this.#served;
  }

  async next(): Promise<IteratorResult<StreamedEvent, undefined>> {
    const event = this.#queue.shift();
    if (event !== undefined) {
      if (this.#queue.length === 0) this.#readOn();
      return { done: false, value: event };
    }
    if (this.#end === undefined)
      return await new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
    const { error } = this.#end;
    this.#end = { error: undefined };
    if (error !== undefined) throw toError(error);
    return { done: true, value: undefined };
  }

  /** Called when the consumer leaves its loop. */
  async return(): Promise<IteratorResult<StreamedEvent, undefined>> {
    this.#queue = [];
    this.#finish(undefined);
    await this.#served;
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  /** Ends the iteration with `reason`, at once. */
  abort(reason: unknown): void {
    this.#queue = [];
    this.#finish(reason);
  }

  async #serve(): Promise<void> {
    const { signal } = this.#options;
    const onAbort = (): void => {
      this.abort(signal?.reason);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
    try {
      await this.#follow();
    } catch (error) {
      this.#finish(error);
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  async #follow(): Promise<never> {
    const { redialMs: deadlineMs = CLIENT_LIMITS.redialMs, onConnection } = this.#options;
    const { signal } = this.#stop;
    for (let isFirst = true; ; isFirst = false) {
      const trying = { deadlineMs, signal, backoff: this.#backoff };
      await using client = await keepTrying((leftMs) => this.#attach(leftMs), trying);
      if (!isFirst) onConnection?.('back');
      await client.closed;
      signal.throwIfAborted();
      onConnection?.('lost');
      await pause(this.#backoff.nextMs(), signal);
    }
  }

  async #attach(leftMs: number): Promise<PodClient> {
    const { signal } = this.#stop;
    const deadlineMs = Math.min(CLIENT_LIMITS.connectMs, leftMs);
    const socket = await dial(this.#path, { deadlineMs, signal });
    const client = new PodClient(socket);
    try {
      // A replay comes in one piece with the answer, and before the answer is looked at.
      let early: PodEvent[] | null = [];
      client.onEvent((event) => {
        if (early === null) this.#take(event);
        else early.push(event);
      });
      const answer = await client.request(
        'Subscribe',
        { after: this.#catchUp.position, events: this.#catchUp.events },
        { deadlineMs: Math.min(CLIENT_LIMITS.answerMs, leftMs), signal },
      );
      this.#socket = socket;
      this.#readBytes = 0;
      this.#tellReady(answer);
      this.#tell(this.#catchUp.subscribed(answer));
      const held = early;
      early = null;
      for (const event of held) this.#take(event);
      return client;
    } catch (error) {
      await client[Symbol.asyncDispose]();
      throw error;
    }
  }

  #take(event: PodEvent): void {
    // This connection was of use; one that is lost at once is dialled again more and more slowly.
    this.#backoff.reset();
    this.#tell(this.#catchUp.take(event));
  }

  #tell(events: readonly StreamedEvent[]): void {
    if (this.#end !== undefined) return;
    for (const event of events) {
      const waiter = this.#waiters.shift();
      if (waiter === undefined) this.#queue.push(event);
      else waiter.resolve({ done: false, value: event });
    }
    const socket = this.#socket;
    if (socket === undefined || this.#queue.length === 0) return;
    const queuedBytes = socket.bytesRead - this.#readBytes;
    const isFull =
      this.#queue.length >= CLIENT_LIMITS.queuedEvents || queuedBytes >= CLIENT_LIMITS.queuedBytes;
    if (isFull) socket.pause();
  }

  #readOn(): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#readBytes = socket.bytesRead;
    if (socket.isPaused()) socket.resume();
  }

  #finish(error: unknown): void {
    if (this.#end !== undefined) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    const [first, ...others] = waiters;
    // An error is told once; whoever asks again learns that it is over.
    this.#end = { error: first === undefined ? error : undefined };
    if (error === undefined) first?.resolve({ done: true, value: undefined });
    else first?.reject(toError(error));
    for (const waiter of others) waiter.resolve({ done: true, value: undefined });
    const reason = new PodError('disconnected', 'this stream of events was closed');
    this.#failReady(error ?? reason);
    this.#stop.abort(reason);
    // Its end wakes the loop, which then sees that it was stopped.
    this.#socket?.destroy();
  }
}

function toError(reason: unknown): Error {
  return reason instanceof Error
    ? reason
    : new PodError('no_answer', 'the stream was aborted', { cause: reason });
}
