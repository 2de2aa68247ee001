import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { deadline } from './slowness.ts';

type Answer = {
  readonly id: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
};
export type WireEvent = {
  readonly epoch: number;
  readonly seq: number;
  readonly ts: number;
  readonly event: string;
  readonly data: Record<string, unknown>;
};

/**
 * A client that shares no code with the product: raw lines over the socket. What the daemon says is kept in the order it
 * came, so that a test can wait for what may have happened already.
 */
export class WireClient implements Disposable {
  readonly socket: Socket;
  readonly lines: string[] = [];
  readonly answers: Answer[] = [];
  readonly events: WireEvent[] = [];
  /** Which method each id of `ask` was for. */
  readonly asked = new Map<unknown, string>();
  ended = false;
  #rest = '';
  #nextId = 1;
  #wake: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      this.#take(text);
    });
    const end = (): void => {
      this.ended = true;
      this.#stir();
    };
    socket.on('end', end);
    socket.on('close', end);
    socket.on('error', end);
  }

  static async open(path: string): Promise<WireClient> {
    const socket = connect({ path, allowHalfOpen: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new WireClient(socket);
  }

  send(line: string): void {
    this.socket.write(line);
  }

  /** Sends a request and answers its result; throws what came as an error. */
  async call(
    method: string,
    params: object = {},
    limitMs?: number,
  ): Promise<Record<string, unknown>> {
    const answer = await this.ask(method, params, limitMs);
    if (answer.error !== undefined)
      throw Object.assign(new Error(answer.error.message), answer.error);
    return answer.result as Record<string, unknown>;
  }

  /** Sends a request and answers whatever came back for it. */
  async ask(method: string, params: object = {}, limitMs?: number): Promise<Answer> {
    const id = `w${this.#nextId}`;
    this.#nextId += 1;
    this.asked.set(id, method);
    this.send(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    return await this.waitFor(
      () => this.answers.find((answer) => answer.id === id),
      `the answer to ${method}`,
      limitMs,
    );
  }

  async event(
    name: string,
    matches: (event: WireEvent) => boolean = () => true,
  ): Promise<WireEvent> {
    return await this.waitFor(
      () => this.events.find((event) => event.event === name && matches(event)),
      `event ${name}`,
    );
  }

  /** Waits until `find` finds something in what has come; looks again at each line. */
  async waitFor<T>(find: () => T | undefined, what: string, limitMs = 20_000): Promise<T> {
    const end = Date.now() + deadline(limitMs);
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      if (this.ended) throw new Error(`the connection ended before ${what}`);
      if (Date.now() > end) throw new Error(`${what} did not come in ${deadline(limitMs)} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 200);
        this.#wake.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  async untilEnded(): Promise<void> {
    await this.waitFor(() => (this.ended ? true : undefined), 'the end of the connection').catch(
      (error: unknown) => {
        if (!this.ended) throw error;
      },
    );
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      this.lines.push(line);
      const message = JSON.parse(line) as { method?: string; params?: WireEvent } & Answer;
      if (message.method === 'Event' && message.params !== undefined)
        this.events.push(message.params);
      else if (message.method === undefined) this.answers.push(message);
    }
    this.#stir();
  }

  #stir(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
