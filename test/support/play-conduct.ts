import type { ServerResponse } from 'node:http';

export type Block =
  | { readonly text: string }
  | { readonly call: string; readonly name: string; readonly input: object }
  /** A call of which only a piece of its arguments comes. */
  | { readonly call: string; readonly name: string; readonly json: string }
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
      /** Between two events; none by default. */
      readonly paceMs?: number;
      /** What its connection does behind the last event; it ends by default. */
      readonly afterwards?: 'stalls' | 'pings' | 'resets';
    }
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly type: string;
      readonly message: string;
      readonly headers?: Readonly<Record<string, string>>;
      /** Its text does not end: nothing more comes of it, or more and more. */
      readonly then?: 'stalls' | 'floods';
    }
  /** Something else than the API, such as a proxy or a web server. */
  | {
      readonly kind: 'page';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** Nothing but the connection. */
  | { readonly kind: 'silent' }
  /** The head of an answer and a piece of its text; then this. */
  | {
      readonly kind: 'begins';
      readonly then:
        | 'stalls'
        | 'ends'
        | 'resets'
        | 'pings'
        | 'errs'
        | 'garbage'
        | 'stops_untold'
        | 'floods'
        | 'endless_line'
        | 'endless_pings';
    }
  /** The head of an answer, and then an error event with this for its data. */
  | { readonly kind: 'errs'; readonly data: string };

type Send = (type: string, data?: object) => void;
type Event = readonly [type: string, data?: object];

const NO_USAGE = {
  input_tokens: 10,
  cache_read_input_tokens: 0,
  cache_creation_input_tokens: 0,
  output_tokens: 1,
};

/** `usage` is what the server's own count says, if it has one. */
export function play(
  conduct: Conduct,
  response: ServerResponse,
  usage: Readonly<Record<string, number>> = {},
): void {
  if (conduct.kind === 'silent') return;
  if (conduct.kind === 'page') {
    response.writeHead(conduct.status, { 'content-type': 'text/html', ...conduct.headers });
    response.end('<html><body>Not what you want.</body></html>');
    return;
  }
  if (conduct.kind === 'status') {
    const { status, type, message, headers = {} } = conduct;
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    const text = JSON.stringify({ type: 'error', error: { type, message } });
    if (conduct.then === undefined) response.end(text);
    else response.write(`${text.slice(0, -1)},`);
    if (conduct.then === 'floods') writeForEver(response, '"more":"and more",'.repeat(1000));
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const send: Send = (type, data = {}) => {
    response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
  };
  const told = { ...NO_USAGE, ...usage, ...(conduct.kind === 'answer' ? conduct.usage : {}) };
  const head = { id: 'msg_1', type: 'message', role: 'assistant', model: 'm', content: [] };
  send('message_start', { message: { ...head, stop_reason: null, usage: told } });
  if (conduct.kind === 'answer') {
    sendPaced(
      answerEvents(conduct),
      conduct.paceMs ?? 0,
      send,
      () => {
        if (conduct.afterwards === undefined) response.end();
        else misbehave(conduct.afterwards, send, response);
      },
      response,
    );
    return;
  }
  if (conduct.kind === 'errs') {
    response.end(`event: error\ndata: ${conduct.data}\n\n`);
    return;
  }
  send('content_block_start', { index: 0, content_block: { type: 'text', text: '' } });
  send('content_block_delta', { index: 0, delta: { type: 'text_delta', text: 'so far' } });
  misbehave(conduct.then, send, response);
}

function misbehave(
  how: Extract<Conduct, { kind: 'begins' }>['then'],
  send: Send,
  response: ServerResponse,
): void {
  switch (how) {
    case 'stalls':
      return;
    case 'ends':
      response.end();
      return;
    case 'stops_untold':
      // Whole but for the event that says so.
      send('content_block_stop', { index: 0 });
      send('message_delta', { delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 7 } });
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
    case 'floods': {
      // Two megabytes in pieces of a hundred bytes, all at once; then nothing more.
      const delta = { type: 'text_delta', text: 'ten chars '.repeat(10) };
      const data = JSON.stringify({ type: 'content_block_delta', index: 0, delta });
      response.write(`event: content_block_delta\ndata: ${data}\n\n`.repeat(20_000));
      return;
    }
    case 'endless_line':
      response.write('event: content_block_delta\ndata: {"type":"content_block_delta","more":"');
      writeForEver(response, 'and more '.repeat(2000));
      return;
    case 'endless_pings':
      writeForEver(response, 'event: ping\ndata: {"type":"ping"}\n\n'.repeat(500));
      return;
    case 'errs':
      send('error', { error: { type: 'overloaded_error', message: 'Overloaded' } });
      response.end();
      return;
    case 'garbage':
      response.end('event: content_block_delta\ndata: {"type": oops\n\n');
  }
}

/** As fast as the other side takes it, until it has gone. */
function writeForEver(response: ServerResponse, piece: string): void {
  const more = (): void => {
    while (!response.destroyed && response.write(piece));
  };
  response.on('drain', more);
  more();
}

function answerEvents({ blocks, stop }: Extract<Conduct, { kind: 'answer' }>): Event[] {
  const stop_reason = stop ?? (blocks.some((one) => 'call' in one) ? 'tool_use' : 'end_turn');
  return [
    ...blocks.flatMap((block, index) => blockEvents(index, block)),
    ['message_delta', { delta: { stop_reason }, usage: { output_tokens: 7 } }],
    ['message_stop'],
  ];
}

function sendPaced(
  events: readonly Event[],
  paceMs: number,
  send: Send,
  end: () => void,
  response: ServerResponse,
): void {
  if (paceMs === 0) {
    for (const [type, data] of events) send(type, data);
    end();
    return;
  }
  let next = 0;
  const timer = setInterval(() => {
    const event = events[next];
    next += 1;
    if (event !== undefined) send(...event);
    if (next < events.length) return;
    clearInterval(timer);
    end();
  }, paceMs);
  response.once('close', () => {
    clearInterval(timer);
  });
}

function blockEvents(index: number, block: Block): Event[] {
  const show = (content_block: object, ...deltas: readonly object[]): Event[] => [
    ['content_block_start', { index, content_block }],
    ...deltas.map((delta): Event => ['content_block_delta', { index, delta }]),
    ['content_block_stop', { index }],
  ];
  if ('text' in block)
    return show(
      { type: 'text', text: '' },
      ...halves(block.text).map((text) => ({ type: 'text_delta', text })),
    );
  if ('call' in block)
    return show(
      { type: 'tool_use', id: block.call, name: block.name, input: {} },
      {
        type: 'input_json_delta',
        partial_json: 'json' in block ? block.json : JSON.stringify(block.input),
      },
    );
  if ('thinking' in block)
    return show(
      { type: 'thinking', thinking: '', signature: '' },
      { type: 'thinking_delta', thinking: block.thinking },
      { type: 'signature_delta', signature: block.signature },
    );
  if ('redacted' in block) return show({ type: 'redacted_thinking', data: block.redacted });
  return show({ type: block.unknown }, { type: 'unknown_delta' });
}

/** In two pieces, between two characters. */
function halves(text: string): string[] {
  const points = Array.from(text);
  const half = Math.ceil(points.length / 2);
  return [points.slice(0, half).join(''), points.slice(half).join('')];
}
