import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type MessagesBody, refusalOf } from './messages-api.ts';
import { type Conduct, play } from './play-conduct.ts';
import type { PromptCache } from './prompt-cache.ts';

export type { Conduct } from './play-conduct.ts';

export type Asked = {
  readonly body: MessagesBody;
  readonly headers: IncomingMessage['headers'];
  /** Resolves when the other side has gone, with the time. */
  readonly gone: Promise<number>;
};

/** What to do, or how, and when, that follows from what was asked. */
export type Plan = Conduct | ((asked: Asked) => Conduct | Promise<Conduct>);

/**
 * Speaks the Messages API on loopback, and misbehaves as it is told: one plan a request, the last one for ever. What the
 * API would refuse it refuses too.
 */
export class ModelServer implements AsyncDisposable {
  readonly asked: Asked[] = [];
  /** What it had to refuse. */
  readonly refused: string[] = [];
  /** Requests that are neither answered nor given up. */
  open = 0;
  /** What its usage is counted by, when a test gives one. */
  cache: PromptCache | null = null;
  #plans: readonly Plan[];
  #planned = 0;
  readonly #server = createServer((request, response) => {
    // What can't be read or answered shows as a connection that ends.
    this.#serve(request, response).catch(() => response.destroy());
  });

  constructor(...plans: readonly Plan[]) {
    this.#plans = plans;
  }

  /** In the place of what it was told before. */
  conduct(...plans: readonly Plan[]): void {
    this.#plans = plans;
    this.#planned = 0;
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request.setEncoding('utf8')) text += String(chunk);
    this.open += 1;
    const gone = new Promise<number>((resolve) => {
      response.once('close', () => {
        this.open -= 1;
        resolve(performance.now());
      });
    });
    const body = JSON.parse(text) as MessagesBody;
    const asked = { body, headers: request.headers, gone };
    const plan = this.#plans[Math.min(this.#planned, this.#plans.length - 1)];
    this.#planned += 1;
    this.asked.push(asked);
    if (request.url !== '/v1/messages' || request.method !== 'POST') {
      response.writeHead(404).end();
      return;
    }
    const message = refusalOf(body);
    if (message !== null) {
      this.refused.push(message);
      play({ kind: 'status', status: 400, type: 'invalid_request_error', message }, response);
      return;
    }
    if (plan === undefined) return;
    play(typeof plan === 'function' ? await plan(asked) : plan, response, this.#count(body));
  }

  #count(body: MessagesBody): Readonly<Record<string, number>> {
    if (this.cache === null) return {};
    const { read, write, fresh } = this.cache.use(body);
    return {
      input_tokens: fresh,
      cache_read_input_tokens: read,
      cache_creation_input_tokens: write,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
