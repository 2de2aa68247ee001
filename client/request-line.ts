import type { Method, Params, Reply } from '../protocol/methods.ts';
import { connect } from './connect.ts';
import { Backoff, keepTrying, pause } from './keep-trying.ts';
import { CLIENT_LIMITS } from './limits.ts';
import type { PodClient, RequestLimits } from './pod-client.ts';
import { PodError, type PodErrorCode } from './pod-error.ts';

/** After these a connection is of no use any more. */
const LOST: readonly PodErrorCode[] = ['disconnected', 'bad_answer'];

/**
 * A connection for requests that comes back. A request is never sent twice: what was open when the connection went is
 * rejected, and so is what is asked before it is back, both with `disconnected`.
 */
export class RequestLine implements AsyncDisposable {
  readonly #path: string;
  readonly #redialMs: number;
  readonly #stop = new AbortController();
  #client: PodClient | undefined;
  readonly #backoff = new Backoff();
  #dialling: Promise<void> | undefined;
  #watched: Promise<void> = Promise.resolve();

  /** Takes over a connection to `path`. */
  constructor(path: string, client: PodClient, redialMs: number) {
    this.#path = path;
    this.#redialMs = redialMs;
    this.#use(client);
  }

  async request<M extends Method>(
    method: M,
    params: Params<M>,
    limits: RequestLimits = {},
  ): Promise<Reply<M>> {
    this.#stop.signal.throwIfAborted();
    const client = this.#client;
    if (client !== undefined) return await this.#ask(client, method, params, limits);
    this.#redial().catch(() => undefined);
    throw new PodError('disconnected', `there is no connection to ${this.#path} at the moment`);
  }

  /** Throws what `keepTrying` does; a later call tries anew. */
  async untilConnected(): Promise<void> {
    while (this.#client === undefined) {
      this.#stop.signal.throwIfAborted();
      await this.#redial();
    }
  }

  /** Idempotent. What is open is rejected. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new PodError('disconnected', 'this client was closed'));
    await this.#dialling?.catch(() => undefined);
    await this.#client?.[Symbol.asyncDispose]();
    await this.#watched;
  }

  async #ask<M extends Method>(
    client: PodClient,
    method: M,
    params: Params<M>,
    limits: RequestLimits,
  ): Promise<Reply<M>> {
    try {
      const answer = await client.request(method, params, limits);
      // A connection that is lost before it was of use is dialled again more and more slowly.
      this.#backoff.reset();
      return answer;
    } catch (error) {
      // Its end is told a moment later; whoever asks again at once, and again, would never come to that.
      if (error instanceof PodError && LOST.includes(error.code)) this.#lose(client);
      throw error;
    }
  }

  #use(client: PodClient): void {
    this.#client = client;
    this.#watched = this.#watch(client);
  }

  async #watch(client: PodClient): Promise<void> {
    await client.closed;
    this.#lose(client);
  }

  #lose(client: PodClient): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    if (!this.#stop.signal.aborted) this.#redial().catch(() => undefined);
  }

  /** One series of attempts at a time; whoever does not wait for it learns of its end by the next request. */
  #redial(): Promise<void> {
    if (this.#dialling === undefined) {
      const dialling = this.#dial().finally(() => {
        this.#dialling = undefined;
      });
      this.#dialling = dialling;
    }
    return this.#dialling;
  }

  async #dial(): Promise<void> {
    const { signal } = this.#stop;
    await pause(this.#backoff.nextMs(), signal);
    const client = await keepTrying(
      (leftMs) =>
        connect(this.#path, { deadlineMs: Math.min(CLIENT_LIMITS.connectMs, leftMs), signal }),
      { deadlineMs: this.#redialMs, signal, backoff: this.#backoff },
    );
    this.#use(client);
  }
}
