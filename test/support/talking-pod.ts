import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { EventHub, type Subscriber } from '../../daemon/rpc/event-hub.ts';
import type { Delta, EventName, Numbered } from '../../protocol/events.ts';
import { tempFolder } from './temp-folder.ts';

type Asked = {
  readonly id: number;
  readonly method: string;
  readonly params: object & {
    readonly after?: { readonly epoch: number; readonly seq: number };
    readonly events?: readonly EventName[];
  };
};

/** What it answers to anything but a `Subscribe`; undefined: nothing, or later by `answer`. */
type Answer = (asked: Asked, pod: TalkingPod, answer: (result: unknown) => void) => unknown;

/**
 * A small Pod on a socket: the daemon's own hub, and nothing behind it. A test says what happens, hangs up, and starts
 * it anew in another epoch.
 */
export class TalkingPod implements AsyncDisposable {
  readonly socket: string;
  readonly asked: Asked[] = [];
  hub: EventHub;
  /** Of each connection that was made, in order. */
  readonly connections: Socket[] = [];
  readonly #folder: AsyncDisposable;
  readonly #answer: Answer;
  #server: Server | undefined;
  #epoch = 1;

  private constructor(folder: AsyncDisposable & { readonly path: string }, answer: Answer) {
    this.#folder = folder;
    this.#answer = answer;
    this.socket = join(folder.path, 'sock');
    this.hub = newHub(this.#epoch);
  }

  static async listen(answer: Answer = () => ({})): Promise<TalkingPod> {
    const pod = new TalkingPod(await tempFolder(), answer);
    await pod.#listen();
    return pod;
  }

  get open(): number {
    return this.connections.filter(({ destroyed }) => !destroyed).length;
  }

  tell(...events: readonly Numbered[]): void {
    this.hub.publish(events);
  }

  say(delta: Delta): void {
    this.hub.delta(delta);
  }

  hangUp(): void {
    for (const connection of this.connections) connection.destroy();
  }

  /** Ends as a process does that is killed: connections break, nobody serves the socket. */
  async die(): Promise<void> {
    this.hangUp();
    const server = this.#server;
    this.#server = undefined;
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
  }

  /** The next life: another epoch, and nothing remembered. */
  async startAnew(): Promise<void> {
    this.#epoch += 1;
    this.hub = newHub(this.#epoch);
    await this.#listen();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.die();
    await this.#folder[Symbol.asyncDispose]();
  }

  async #listen(): Promise<void> {
    const server = createServer((connection) => {
      this.#serve(connection);
    });
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.socket, resolve));
  }

  #serve(connection: Socket): void {
    this.connections.push(connection);
    connection.on('error', () => undefined);
    const subscriber: Subscriber = {
      unsentBytes: () => connection.writableLength,
      send: (line) => {
        if (connection.writable) connection.write(line);
      },
      disconnect: () => {
        connection.destroy();
      },
    };
    connection.on('close', () => {
      this.hub.unsubscribe(subscriber);
    });
    let rest = '';
    connection.setEncoding('utf8').on('data', (text: string) => {
      const lines = `${rest}${text}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#take(JSON.parse(line) as Asked, connection, subscriber);
    });
  }

  #take(asked: Asked, connection: Socket, subscriber: Subscriber): void {
    this.asked.push(asked);
    const answer = (result: unknown): void => {
      connection.write(`${JSON.stringify({ jsonrpc: '2.0', id: asked.id, result })}\n`);
    };
    if (asked.method === 'Subscribe') {
      const { replay, ...position } = this.hub.subscribe(subscriber, asked.params);
      answer({ ...position, state: 'idle', inFlight: this.hub.inFlight(), approvals: [] });
      for (const line of replay) subscriber.send(line);
      return;
    }
    const result = this.#answer(asked, this, answer);
    if (result !== undefined) answer(result);
  }
}

function newHub(epoch: number): EventHub {
  return new EventHub(epoch, { now: () => 0 });
}
