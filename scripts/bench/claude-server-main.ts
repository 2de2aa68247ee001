// Answers as Claude's API does, over SSE on loopback, and notes how long it had each request. It is told what to answer by
// lines on stdin; when those end, so does it.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import type { ServerQuestion, Taken } from './claude-server.ts';

const TEXT = 'The answer of a model comes in pieces of a few words each. ';
const PIECES = 40;
/** Longer than any pause of a measurement: its connections stay warm. */
const KEPT_MS = 120_000;

function sse(type: string, data: object = {}): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
}

function answer(content: object, deltas: readonly object[], stop_reason: string): string[] {
  const usage = {
    input_tokens: 10,
    cache_read_input_tokens: 0,
    cache_creation_input_tokens: 0,
    output_tokens: 1,
  };
  const head = { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-test' };
  return [
    sse('message_start', { message: { ...head, content: [], stop_reason: null, usage } }),
    sse('content_block_start', { index: 0, content_block: content }),
    ...deltas.map((delta) => sse('content_block_delta', { index: 0, delta })),
    sse('content_block_stop', { index: 0 }),
    sse('message_delta', { delta: { stop_reason }, usage: { output_tokens: 40 } }),
    sse('message_stop'),
  ];
}

class ClaudeStandIn {
  readonly #text = answer(
    { type: 'text', text: '' },
    Array.from({ length: PIECES }, (_, n) => ({
      type: 'text_delta',
      text: TEXT.slice((n * 12) % 48, ((n * 12) % 48) + 12),
    })),
    'end_turn',
  );
  #calls = 0;
  #path = '';
  #left = 0;
  #callId = 0;
  #body = Buffer.alloc(0);
  #ms: number[] = [];

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const receivedAt = performance.now();
    const events = this.#nextAnswer();
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const event of events) response.write(event);
    response.end(() => {
      this.#ms.push(performance.now() - receivedAt);
    });
    this.#body = Buffer.concat(chunks);
  }

  told(question: ServerQuestion): Taken | null {
    if (question.kind === 'plan') {
      this.#calls = question.calls;
      this.#path = question.path;
      this.#left = question.calls;
      return null;
    }
    const ms = this.#ms;
    this.#ms = [];
    return { ms, body: this.#body.toString('utf8') };
  }

  #nextAnswer(): string[] {
    if (this.#left === 0) {
      this.#left = this.#calls;
      return this.#text;
    }
    this.#left -= 1;
    this.#callId += 1;
    const partial_json = JSON.stringify({ file_path: this.#path });
    return answer(
      { type: 'tool_use', id: `toolu_${this.#callId}`, name: 'Read', input: {} },
      [{ type: 'input_json_delta', partial_json }],
      'tool_use',
    );
  }
}

const claude = new ClaudeStandIn();
const server = createServer({ keepAliveTimeout: KEPT_MS }, (request, response) => {
  claude.serve(request, response).catch(() => response.destroy());
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
for await (const line of createInterface({ input: process.stdin }))
  process.stdout.write(`${JSON.stringify(claude.told(JSON.parse(line) as ServerQuestion))}\n`);
server.closeAllConnections();
server.close();
