import { rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { PodEvent } from '../../client/pod-client.ts';
import { tempFolder } from './temp-folder.ts';

type Asked = { readonly id: number; readonly method: string; readonly params: unknown };

/** What a fake Pod does with a request. */
export type Behaviour = (asked: Asked, pod: FakePod) => void;

/** A socket that answers as a test tells it to, rightly or not. */
export class FakePod implements AsyncDisposable {
  readonly socket: string;
  readonly asked: Asked[] = [];
  readonly #server: Server;
  readonly #folder: AsyncDisposable;
  readonly #connections = new Set<Socket>();

  private constructor(folder: AsyncDisposable & { readonly path: string }, behave: Behaviour) {
    this.#folder = folder;
    this.socket = join(folder.path, 'sock');
    this.#server = createServer((connection) => {
      this.#connections.add(connection);
      connection.on('close', () => this.#connections.delete(connection));
      connection.on('error', () => undefined);
      let rest = '';
      connection.setEncoding('utf8').on('data', (text: string) => {
        const lines = `${rest}${text}`.split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          const asked = JSON.parse(line) as Asked;
          this.asked.push(asked);
          behave(asked, this);
        }
      });
    });
  }

  static async listen(behave: Behaviour): Promise<FakePod> {
    const pod = new FakePod(await tempFolder(), behave);
    await new Promise<void>((resolve) => pod.#server.listen(pod.socket, resolve));
    return pod;
  }

  get methods(): string[] {
    return this.asked.map(({ method }) => method);
  }

  get connections(): number {
    return this.#connections.size;
  }

  answer({ id }: Asked, result: unknown): void {
    this.say(`${JSON.stringify({ jsonrpc: '2.0', id, result })}\n`);
  }

  refuse({ id }: Asked, error: object): void {
    this.say(`${JSON.stringify({ jsonrpc: '2.0', id, error })}\n`);
  }

  tell(...events: readonly PodEvent[]): void {
    for (const params of events)
      this.say(`${JSON.stringify({ jsonrpc: '2.0', method: 'Event', params })}\n`);
  }

  say(text: string | Uint8Array): void {
    for (const connection of this.#connections) connection.write(text);
  }

  /** As a daemon that dies does. */
  hangUp(): void {
    for (const connection of this.#connections) connection.destroy();
  }

  /** The last step of a stop. */
  async vanish(): Promise<void> {
    this.hangUp();
    await rm(this.socket, { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.hangUp();
    await new Promise((resolve) => this.#server.close(resolve));
    await this.#folder[Symbol.asyncDispose]();
  }
}
