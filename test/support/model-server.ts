import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Block =
  | { readonly text: string }
  | { readonly call: string; readonly name: string; readonly input: object }
  | { readonly thinking: string; readonly signature: string }
  | { readonly redacted: string }
  | { readonly unknown: string };

/** What the server does with one request. */
export type Conduct =
  | {
      readonly kind: 'answer';
      readonly blocks: readonly Block[];
      readonly stop?: string;
      readonly usage?: Readonly<Record<string, number>>;
    }
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly type: string;
      readonly message: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** Nothing but the connection. */
  | { readonly kind: 'silent' }
  /** The head of an answer and a piece of its text; then this. */
  | {
      readonly kind: 'begins';
      readonly then: 'stalls' | 'ends' | 'resets' | 'pings' | 'errs' | 'garbage';
    };

export type Asked = {
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: IncomingMessage['headers'];
  /** Resolves when the other side has gone, with the time. */
  readonly gone: Promise<number>;
};

/** Speaks the Messages API on loopback, and misbehaves as it is told: one conduct a request, the last one for ever. */
export class ModelServer implements AsyncDisposable {
  readonly asked: Asked[] = [];
  #conducts: readonly Conduct[];
  readonly #server = createServer((request, response) => {
    // What can't be read or answered shows as a connection that ends.
    this.#serve(request, response).catch(() => response.destroy());
  });

  constructor(...conducts: readonly Conduct[]) {
    this.#conducts = conducts;
  }

  /** In the place of what it was told before. */
  conduct(...conducts: readonly Conduct[]): void {
    this.#conducts = conducts;
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  connections(): Promise<number> {
    return new Promise((resolve) => {
      this.#server.getConnections((_error, count) => {
        resolve(count);
      });
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request.setEncoding('utf8')) text += String(chunk);
    const conduct = this.#conducts[Math.min(this.asked.length, this.#conducts.length - 1)];
    const gone = new Promise<number>((resolve) => {
      response.once('close', () => {
        resolve(performance.now());
      });
    });
    const body = JSON.parse(text) as Readonly<Record<string, unknown>>;
    this.asked.push({ body, headers: request.headers, gone });
    if (request.url !== '/v1/messages' || request.method !== 'POST') response.writeHead(404).end();
    else if (conduct !== undefined) play(conduct, response);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

function play(conduct: Conduct, response: ServerResponse): void {
  if (conduct.kind === 'silent') return;
  if (conduct.kind === 'status') {
    const { status, type, message, headers = {} } = conduct;
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify({ type: 'error', error: { type, message } }));
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const send = (type: string, data: object = {}): void => {
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
  };
  const usage = {
    input_tokens: 10,
    cache_read_input_tokens: 0,
    cache_creation_input_tokens: 0,
    output_tokens: 1,
    ...(conduct.kind === 'answer' ? conduct.usage : {}),
  };
  const head = { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [] };
  send('message_start', { message: { ...head, stop_reason: null, usage } });
  if (conduct.kind === 'answer') {
    for (const [index, block] of conduct.blocks.entries()) sendBlock(send, index, block);
    const stop_reason =
      conduct.stop ?? (conduct.blocks.some((one) => 'call' in one) ? 'tool_use' : 'end_turn');
    send('message_delta', { delta: { stop_reason }, usage: { output_tokens: 7 } });
    send('message_stop');
    response.end();
    return;
  }
  send('content_block_start', { index: 0, content_block: { type: 'text', text: '' } });
  send('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'so far' } });
  switch (conduct.then) {
    case 'stalls':
      return;
    case 'ends':
      response.end();
      return;
    case 'resets':
      setImmediate(() => response.socket?.resetAndDestroy());
      return;
    case 'pings': {
      const timer = setInterval(() => {
        send('ping');
      }, 20);
      response.once('close', () => {
        clearInterval(timer);
      });
      return;
    }
    case 'errs':
      send('error', { error: { type: 'overloaded_error', message: 'Overloaded' } });
      response.end();
      return;
    case 'garbage':
      response.end('event: content_block_delta\ndata: {"type": oops\n\n');
  }
}

function sendBlock(send: (type: string, data?: object) => void, index: number, block: Block): void {
  const show = (content_block: object, ...deltas: readonly object[]): void => {
    send('content_block_start', { index, content_block });
    for (const delta of deltas) send('content_block_delta', { index, delta });
    send('content_block_stop', { index });
  };
  if ('text' in block) {
    const { text } = block;
    const half = Math.ceil(text.length / 2);
    const pieces = [text.slice(0, half), text.slice(half)];
    show(
      { type: 'text', text: '' },
      ...pieces.map((piece) => ({ type: 'text_delta', text: piece })),
    );
  } else if ('call' in block) {
    const partial_json = JSON.stringify(block.input);
    show(
      { type: 'tool_use', id: block.call, name: block.name, input: {} },
      { type: 'input_json_delta', partial_json },
    );
  } else if ('thinking' in block)
    show(
      { type: 'thinking', thinking: '', signature: '' },
      { type: 'thinking_delta', thinking: block.thinking },
      { type: 'signature_delta', signature: block.signature },
    );
  else if ('redacted' in block) show({ type: 'redacted_thinking', data: block.redacted });
  else show({ type: block.unknown }, { type: 'unknown_delta' });
}
