import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import { LIMITS } from '../../daemon/core/limits.ts';
import { HttpConnection } from '../../daemon/model/http-connection.ts';

/** A web server that answers each request as `answer` says. */
class WebServer implements AsyncDisposable {
  readonly #server;
  /** Resolves when the first answer's connection has ended. */
  readonly gone: Promise<void>;

  constructor(answer: (response: ServerResponse) => void) {
    let tell = (): void => undefined;
    this.gone = new Promise((resolve) => {
      tell = resolve;
    });
    this.#server = createServer((_, response) => {
      response.once('close', tell);
      answer(response);
    });
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

async function connect(): Promise<HttpConnection & Disposable> {
  const timeouts = { connectMs: 5000, headersMs: 5000, idleMs: 5000, refusalMs: 5000 };
  const connection = await HttpConnection.load(timeouts);
  return Object.assign(connection, {
    [Symbol.dispose]: () => {
      connection.drop();
    },
  });
}

describe('HttpConnection', () => {
  test('INV-12: an answer passes through its cap as it was sent, with its head', async () => {
    const sent = Buffer.from('data: ä\r\n\r\ndata: ö\n\n'.repeat(50_000));
    await using server = new WebServer((response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'request-id': 'r1' });
      response.end(sent);
    });
    using connection = await connect();
    const answer = await connection.fetch(await server.listen());
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('text/event-stream');
    expect(answer.headers.get('request-id')).toBe('r1');
    expect(Buffer.from(await answer.arrayBuffer()).equals(sent)).toBe(true);
  });

  test.each(['\n', '\r'])('INV-12: lines that end with %j are counted one by one', async (end) => {
    const line = `${'x'.repeat(1024 * 1024 - 1)}${end}`;
    const lines = LIMITS.responseLineBytes / line.length + 2;
    await using server = new WebServer((response) => {
      response.end(line.repeat(lines));
    });
    using connection = await connect();
    const answer = await connection.fetch(await server.listen());
    expect((await answer.arrayBuffer()).byteLength).toBe(lines * line.length);
  });

  test('PROV-5: whoever leaves an answer ends its connection', async () => {
    await using server = new WebServer((response) => {
      response.write('data: 1\n\n');
    });
    using connection = await connect();
    const answer = await connection.fetch(await server.listen());
    const reader = answer.body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('data: 1\n\n');
    await reader?.cancel();
    await server.gone;
  });

  test('PROV-5: an abort ends an answer with its reason, and its connection', async () => {
    await using server = new WebServer((response) => {
      response.write('data: 1\n\n');
    });
    using connection = await connect();
    const stop = new AbortController();
    const answer = await connection.fetch(await server.listen(), { signal: stop.signal });
    const reader = answer.body?.getReader();
    await reader?.read();
    const reading = reader?.read();
    const why = new Error('enough');
    stop.abort(why);
    await expect(reading).rejects.toBe(why);
    await server.gone;
  });

  test('INV-12: of a refusal comes the beginning, with its status and head', async () => {
    await using server = new WebServer((response) => {
      response.writeHead(503, { 'retry-after': '7' });
      response.end('x'.repeat(10 * LIMITS.refusalBytes));
    });
    using connection = await connect();
    const answer = await connection.fetch(await server.listen());
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('7');
    expect(await answer.text()).toBe('x'.repeat(LIMITS.refusalBytes));
  });

  test.each([
    [204, 204],
    [304, 304],
    [404, 404],
    [999, 599],
  ])('PROV-4: %i without a text is %i', async (status, seen) => {
    await using server = new WebServer((response) => {
      response.writeHead(status, { 'content-length': '0' });
      response.end();
    });
    using connection = await connect();
    const answer = await connection.fetch(await server.listen());
    expect([answer.status, await answer.text()]).toEqual([seen, '']);
  });
});
