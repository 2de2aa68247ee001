import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Closing } from '../../daemon/support/closing.ts';
import { PodHome } from './bench-pod.ts';
import { ClaudeServer } from './claude-server.ts';
import { PodClient } from './pod-client.ts';
import { SdkLoop } from './sdk-loop.ts';

/** One run, by the clock of whoever asked for it, and the server's part in that. */
export type Timed = { readonly ms: number; readonly serverMs: number; readonly turns: number };

/** A Pod and a loop of the SDK with the same conversation, on the same server. */
export class SideBySide implements AsyncDisposable {
  readonly #closing: Closing;
  readonly #server: ClaudeServer;
  readonly #client: PodClient;
  readonly #loop: SdkLoop;
  readonly #path: string;
  readonly #signal: AbortSignal;

  private constructor(
    closing: Closing,
    parts: { server: ClaudeServer; client: PodClient; loop: SdkLoop; path: string },
    signal: AbortSignal,
  ) {
    this.#closing = closing;
    this.#server = parts.server;
    this.#client = parts.client;
    this.#loop = parts.loop;
    this.#path = parts.path;
    this.#signal = signal;
  }

  /** Both have run once when this answers: the SDK is loaded, the connections are open. */
  static async start(signal: AbortSignal): Promise<SideBySide> {
    await using closing = new Closing();
    const server = closing.use('server', await ClaudeServer.start(signal));
    const home = closing.use('home', PodHome.claude(server.url));
    await home.start().line(signal);
    const client = await PodClient.open(home.socket(), signal);
    closing.use('client', {
      [Symbol.asyncDispose]: () => {
        client[Symbol.dispose]();
        return Promise.resolve();
      },
    });
    const path = join(home.workspace(), 'note.txt');
    writeFileSync(path, 'A line of a small file, as a model reads many of.\n'.repeat(8));
    await client.call('Run', { input: 'Begin.' }, signal);
    const { body } = await server.taken(signal);
    const loop = closing.use('loop', await SdkLoop.start(server.url, body, signal));
    await loop.run('Begin.', signal);
    await server.taken(signal);
    return new SideBySide(closing.move(), { server, client, loop, path }, signal);
  }

  /** The same run on both, one after the other. */
  async run(
    first: 'podd' | 'sdk',
    { calls, input }: { readonly calls: number; readonly input: string },
  ): Promise<{ readonly podd: Timed; readonly sdk: Timed }> {
    await this.#server.plan({ calls, path: this.#path }, this.#signal);
    const early = first === 'podd' ? await this.#runPodd(input) : await this.#runSdk(input);
    const late = first === 'podd' ? await this.#runSdk(input) : await this.#runPodd(input);
    const [podd, sdk] = first === 'podd' ? [early, late] : [late, early];
    for (const { turns } of [podd, sdk])
      if (turns !== calls + 1) throw new Error(`a run of ${calls} calls had ${turns} turns`);
    // Otherwise they would not be compared on the same requests.
    if (Math.abs(podd.bodyBytes / sdk.bodyBytes - 1) > 0.1)
      throw new Error(`podd's request has ${podd.bodyBytes} bytes, the SDK's ${sdk.bodyBytes}`);
    return { podd, sdk };
  }

  async #runPodd(input: string): Promise<Timed & { readonly bodyBytes: number }> {
    const { ms, result } = await this.#client.call('Run', { input }, this.#signal);
    return { ms, ...(await this.#serverPart()), turns: Number(result['turns']) };
  }

  async #runSdk(input: string): Promise<Timed & { readonly bodyBytes: number }> {
    const { ms, turns } = await this.#loop.run(input, this.#signal);
    return { ms, ...(await this.#serverPart()), turns };
  }

  async #serverPart(): Promise<{ readonly serverMs: number; readonly bodyBytes: number }> {
    const { ms, body } = await this.#server.taken(this.#signal);
    return { serverMs: ms.reduce((sum, one) => sum + one, 0), bodyBytes: body.length };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#closing[Symbol.asyncDispose]();
  }
}
