import type { Item } from '../../protocol/items.ts';
import { type Deferred, deferred } from '../../daemon/support/deferred.ts';
import { claudePod } from './claude-pod.ts';
import { blocksOf, type MessagesBody } from './messages-api.ts';
import { type Asked, type Conduct, ModelServer } from './model-server.ts';
import type { Block } from './play-conduct.ts';
import { PromptCache } from './prompt-cache.ts';
import type { TempPod, TempPodOptions } from './temp-pod.ts';
import { until } from './until.ts';
import type { WireClient } from './wire-client.ts';
import { textOfBlock, WorkingModel } from './working-model.ts';

/** What the compactor does at its first, second, … request; the last for ever, null for a good summary. */
export type Compactor = readonly (Conduct | null | ((asked: Asked) => Conduct | null))[];

export type CompactingPodOptions = {
  /** Overlays of TOML. */
  readonly settings: readonly string[];
  readonly window?: number;
  readonly steps?: readonly string[];
  readonly pod?: Partial<TempPodOptions>;
};

/** A Pod with a model that works and a compactor that does what a test says, on loopback. */
export class CompactingPod implements AsyncDisposable {
  readonly server: ModelServer;
  readonly pod: TempPod;
  readonly model: WorkingModel;
  client: WireClient;
  #compactor: Compactor = [null];
  #planned = 0;
  #held: Deferred<null> | null = null;

  private constructor(parts: {
    server: ModelServer;
    pod: TempPod;
    client: WireClient;
    options: CompactingPodOptions;
  }) {
    const { server, pod, client, options } = parts;
    this.server = server;
    this.pod = pod;
    this.client = client;
    this.model = new WorkingModel({
      workspace: pod.workspace,
      window: options.window ?? 1_000_000,
      ...(options.steps === undefined ? {} : { steps: options.steps }),
      compactor: (asked) => {
        const plan = this.#compactor[Math.min(this.#planned, this.#compactor.length - 1)] ?? null;
        this.#planned += 1;
        const answer = (): Conduct | null => (typeof plan === 'function' ? plan(asked) : plan);
        return this.#held === null ? answer() : this.#held.promise.then(answer);
      },
    });
    server.cache = new PromptCache();
    server.conduct(this.model.plan);
  }

  static async start(options: CompactingPodOptions): Promise<CompactingPod> {
    const server = new ModelServer();
    const pod = await claudePod(server, options.settings, options.pod);
    try {
      await pod.start();
      const client = await pod.client();
      await client.call('Subscribe');
      return new CompactingPod({ server, pod, client, options });
    } catch (error) {
      await pod[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Counted from here. */
  compactor(...compactor: Compactor): void {
    this.#compactor = compactor;
    this.#planned = 0;
  }

  /** The compactor's model answers nothing until it is let go. */
  hold(): () => void {
    const held = deferred<null>();
    this.#held = held;
    return () => {
      this.#held = null;
      held.resolve(null);
    };
  }

  /** Waits until the compactor has asked something, `since` so many requests. */
  async untilCompacting(since = 0): Promise<void> {
    await until(() => this.model.compactorBodies.length > since, 'a request of the compactor');
  }

  /** After a kill: the next life, on what is stored. */
  async restart(): Promise<WireClient> {
    this.client[Symbol.dispose]();
    await this.pod.start();
    this.client = await this.pod.client();
    await this.client.call('Subscribe');
    return this.client;
  }

  async history(sessionId?: string): Promise<{ sessionId: string; items: Item[] }> {
    const asked = sessionId === undefined ? {} : { sessionId };
    const page = await this.client.call('GetHistory', asked);
    return { sessionId: String(page['sessionId']), items: page['items'] as Item[] };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client[Symbol.dispose]();
    await this.pod[Symbol.asyncDispose]();
    await this.server[Symbol.asyncDispose]();
  }
}

/** What the model was told last. */
export function heardIn(body: MessagesBody | undefined): string {
  const last = body?.messages?.at(-1);
  if (last === undefined) return '';
  return blocksOf(last).map(textOfBlock).join('\n');
}

export function says(text: string): Conduct {
  return { kind: 'answer', blocks: [{ text }] };
}

let calls = 0;

/** An answer of calls: a tool's name and its arguments each. */
export function callsOf(...made: readonly (readonly [name: string, input: object])[]): Conduct {
  const blocks = made.map(([name, input]): Block => {
    calls += 1;
    return { call: `toolu_c${calls}`, name, input };
  });
  return { kind: 'answer', blocks };
}

export function refuses(status: number, type: string, message = 'No.'): Conduct {
  return { kind: 'status', status, type, message };
}
