import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';

/** Listens, and sleeps: whoever connects waits in its backlog. */
const LISTENER = `
  const server = require('node:net').createServer();
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    require('node:worker_threads').parentPort.postMessage(server.address().port);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
`;
/** Far more than its backlog takes. */
const CONNECTIONS = 8;

/** An address on loopback that answers nobody: its backlog is full, so Linux drops what comes. */
export class FullBacklog implements AsyncDisposable {
  readonly url: string;
  readonly #listener: Worker;
  readonly #sockets: readonly Socket[];

  private constructor(url: string, listener: Worker, sockets: readonly Socket[]) {
    this.url = url;
    this.#listener = listener;
    this.#sockets = sockets;
  }

  static async fill(): Promise<FullBacklog> {
    const listener = new Worker(LISTENER, { eval: true });
    const [port] = (await once(listener, 'message')) as [number];
    const sockets = Array.from({ length: CONNECTIONS }, () =>
      connect(port, '127.0.0.1').on('error', () => undefined),
    );
    // Loopback answers at once. Those who have no answer yet are the ones too many.
    await Promise.race(
      sockets.map(async (socket) => {
        await once(socket, 'connect');
      }),
    );
    return new FullBacklog(`http://127.0.0.1:${port}`, listener, sockets);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await this.#listener.terminate();
  }
}
