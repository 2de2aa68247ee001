import { setMaxListeners } from 'node:events';
import type { ReadableStreamDefaultReader } from 'node:stream/web';
import type { Dispatcher, RequestInit, Response as Answer } from 'undici';
import { Fault } from '../core/fault.ts';
import { LIMITS } from '../core/limits.ts';
import { ignore } from '../support/deferred.ts';
import type * as Undici from './undici-parts.ts';

/** Milliseconds. Node's own fetch has limits of its own, and no proxy (PROV-9). */
export type ConnectionTimeouts = {
  readonly connectMs: number;
  /** From the request to the head of its answer. */
  readonly headersMs: number;
  /** From the request to the end of a refusal. Its head decides; its text has half of what is left then. */
  readonly refusalMs: number;
  /** Without a byte of the answer. */
  readonly idleMs: number;
};

/** Around what happened: SDKs make "Request timed out." of what names a timeout itself, and forget which it was. */
class NoAnswer extends Error {}

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

  /** In the form in which SDKs take one. They read whatever comes to its end, so what comes has a cap (INV-12). */
  readonly fetch = (async (url: string, init: RequestInit): Promise<Response> => {
    const begun = performance.now();
    const answer = await this.#ask(url, init);
    if (answer.ok) return toCapped(answer);
    const leftMs = this.#timeouts.refusalMs - (performance.now() - begun);
    return await toRefusal(answer, Math.min(LIMITS.refusalMs, leftMs / 2));
  }) as unknown as typeof globalThis.fetch;

  async #ask(url: string, init: RequestInit): Promise<Answer> {
    this.#line ??= this.#connect();
    const { dispatcher } = this.#line;
    try {
      // A redirect would take the key along.
      return await this.#undici.fetch(url, { ...init, redirect: 'manual', dispatcher });
    } catch (cause) {
      if (init.signal?.aborted === true) throw cause;
      throw new NoAnswer('no answer came', { cause });
    }
  }

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

/** Passes on what comes, until it is more than an answer can be. */
function toCapped(answer: Answer): Response {
  const { body, status, headers } = answer;
  const head = { status, headers: [...headers] };
  if (body === null) return new Response(null, head);
  const reader = toReader(body);
  let bytes = 0;
  let lineBytes = 0;
  const capped = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { value } = await reader.read();
        if (value === undefined) {
          controller.close();
          return;
        }
        bytes += value.byteLength;
        const lineEnd = lastLineEnd(value);
        lineBytes = lineEnd < 0 ? lineBytes + value.byteLength : value.byteLength - lineEnd - 1;
        if (bytes > LIMITS.responseBytes) throw tooLarge('answer', LIMITS.responseBytes, reader);
        if (lineBytes > LIMITS.responseLineBytes)
          throw tooLarge('line', LIMITS.responseLineBytes, reader);
        controller.enqueue(value);
      },
      cancel: async (reason) => {
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(capped, head);
}

function toReader(body: NonNullable<Answer['body']>): ReadableStreamDefaultReader<Uint8Array> {
  return body.getReader() as ReadableStreamDefaultReader<Uint8Array>;
}

/** A stream ends its lines with CR only if it has no LF at all. */
function lastLineEnd(bytes: Uint8Array): number {
  const lineFeed = bytes.lastIndexOf(0x0a);
  return lineFeed < 0 ? bytes.lastIndexOf(0x0d) : lineFeed;
}

/** The same request would bring the same, and as much of it; so it is not sent again by itself. */
function tooLarge(what: string, bytesMax: number, rest: ReadableStreamDefaultReader): Fault {
  const fault = new Fault(
    'provider_error',
    `the model's server sent one ${what} of more than ${bytesMax} bytes`,
    {
      data: { reason: 'too_large', retryable: false },
    },
  );
  ignore(rest.cancel(fault), 'nobody reads it');
  return fault;
}

/** Of its text what comes in time and is not too much. */
async function toRefusal({ body, status, headers }: Answer, limitMs: number): Promise<Response> {
  const text = body === null ? null : await readStart(toReader(body), limitMs);
  // What is beyond them is to be taken for a server's error (RFC 9110, 15).
  return new Response(text, { status: Math.min(status, 599), headers: [...headers] });
}

async function readStart(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  limitMs: number,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const stop = (): void => {
    ignore(reader.cancel(), 'what has come is enough');
  };
  const timer = setTimeout(stop, limitMs);
  try {
    while (bytes < LIMITS.refusalBytes) {
      const { value } = await reader.read();
      if (value === undefined) break;
      chunks.push(value);
      bytes += value.byteLength;
    }
  } catch {
    // It broke off; so what has come is all.
  } finally {
    clearTimeout(timer);
    stop();
  }
  // Some statuses may have no text, not even an empty one.
  return bytes === 0 ? null : Buffer.concat(chunks, Math.min(bytes, LIMITS.refusalBytes));
}
