import { setMaxListeners } from 'node:events';
import type { Dispatcher, RequestInit } from 'undici';
import { ignore } from '../support/deferred.ts';
import type * as Undici from './undici-parts.ts';

/** Milliseconds. Node's own fetch has limits of its own, and no proxy (PROV-9). */
export type ConnectionTimeouts = {
  readonly connectMs: number;
  /** From the request to the head of its answer. */
  readonly headersMs: number;
  /** Without a byte of the answer. */
  readonly idleMs: number;
};

type Line = { readonly dispatcher: Dispatcher; readonly end: AbortController };

/**
 * The HTTP side of one model: connections that are kept between requests, by the proxies of the environment. `drop` ends
 * all that is under way, also a connection that is only being made, of which an aborted request alone lets go.
 */
export class HttpConnection {
  readonly #undici: typeof Undici;
  readonly #timeouts: ConnectionTimeouts;
  #line: Line | null = null;

  private constructor(undici: typeof Undici, timeouts: ConnectionTimeouts) {
    this.#undici = undici;
    this.#timeouts = timeouts;
  }

  static async load(timeouts: ConnectionTimeouts): Promise<HttpConnection> {
    return new HttpConnection(await import('./undici-parts.ts'), timeouts);
  }

  /** In the form in which SDKs take one. */
  readonly fetch = ((url: string, init: RequestInit) => {
    this.#line ??= this.#connect();
    // A redirect would take the key along.
    const { dispatcher } = this.#line;
    return this.#undici.fetch(url, { ...init, redirect: 'manual', dispatcher });
  }) as unknown as typeof globalThis.fetch;

  drop(): void {
    const line = this.#line;
    this.#line = null;
    if (line === null) return;
    line.end.abort();
    ignore(line.dispatcher.destroy(), 'its sockets are gone already');
  }

  #connect(): Line {
    const { connectMs: timeout, headersMs, idleMs } = this.#timeouts;
    const end = new AbortController();
    // Each socket listens to it.
    setMaxListeners(0, end.signal);
    const connect = { timeout, signal: end.signal };
    const dispatcher = new this.#undici.EnvHttpProxyAgent({
      connect,
      proxyTls: connect,
      requestTls: connect,
      headersTimeout: headersMs,
      bodyTimeout: idleMs,
    });
    return { dispatcher, end };
  }
}
