import { rmSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';

/** Stands between a client and a Pod, and cuts all connections again and again. */
export class CutRelay implements AsyncDisposable {
  readonly socket: string;
  cuts = 0;
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  #timer: NodeJS.Timeout | undefined;

  private constructor(target: string, socket: string) {
    this.socket = socket;
    this.#server = createServer((client) => {
      const pod = createConnection({ path: target });
      for (const [one, other] of [
        [client, pod],
        [pod, client],
      ] as const) {
        this.#open.add(one);
        one.on('error', () => undefined);
        one.on('close', () => {
          this.#open.delete(one);
          other.destroy();
        });
        one.pipe(other);
      }
    });
  }

  /** Its socket lies in `folder`, which outlives the Pod's own. */
  static async listen(target: string, folder: string): Promise<CutRelay> {
    const relay = new CutRelay(target, `${folder}/cut`);
    await new Promise<void>((resolve) => relay.#server.listen(relay.socket, resolve));
    return relay;
  }

  cutEvery(ms: number): void {
    this.#timer = setInterval(() => {
      for (const one of this.#open) one.destroy();
      this.cuts += 1;
    }, ms);
  }

  leaveAlone(): void {
    clearInterval(this.#timer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.leaveAlone();
    for (const one of this.#open) one.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.socket, { force: true });
  }
}
