import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { LineChannel } from './line-channel.ts';

export type Answered = { readonly result: Readonly<Record<string, unknown>>; readonly ms: number };

/** A client of a Pod that does as little as a client can. */
export class PodClient implements Disposable {
  readonly #socket: Socket;
  readonly #channel: LineChannel;
  #nextId = 1;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#channel = new LineChannel('the Pod', socket, socket);
  }

  static async open(path: string, signal: AbortSignal): Promise<PodClient> {
    const socket = connect(path);
    await once(socket, 'connect', { signal });
    return new PodClient(socket);
  }

  /** From the request's write to the answer's last byte. */
  async call(method: string, params: object, signal: AbortSignal): Promise<Answered> {
    const request = JSON.stringify({ jsonrpc: '2.0', id: this.#nextId, method, params });
    this.#nextId += 1;
    const before = performance.now();
    this.#channel.send(request);
    const { text, at } = await this.#channel.next(signal, 60_000);
    const answer = JSON.parse(text) as { result?: Answered['result'] };
    if (answer.result === undefined) throw new Error(`${method} was answered: ${text}`);
    return { result: answer.result, ms: at - before };
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}
