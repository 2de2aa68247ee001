import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { expectSound } from '../support/expect-sound.ts';
import { randomNumbers } from '../support/random-numbers.ts';
import { TempPod } from '../support/temp-pod.ts';
import type { WireClient } from '../support/wire-client.ts';

const LIVES = 12;
const LIFE_MS_MAX = 300;
const CLIENTS = 4;

/** A run takes some 20 ms, so that a death comes in it, between two, and while others wait. */
const SCRIPT = `loop = true
[[steps]]
text = "done with it"
chunk_bytes = 4
delay_ms = 4
`;

type Answer = Awaited<ReturnType<WireClient['ask']>>;

/** What clients were told of their requests; each is sent until it is answered, and then once more now and then. */
class Requests {
  readonly answers = new Map<string, Answer>();
  readonly #random: () => number;
  #drawn = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  get count(): number {
    return this.#drawn;
  }

  /** One client's life: an input, then a note, on and on, until its connection breaks. */
  async goOn(client: WireClient, mine: { pending: string | null }): Promise<void> {
    for (;;) {
      const id = mine.pending ?? this.#draw();
      mine.pending = id;
      this.#told(id, await this.#ask(client, id));
      mine.pending = null;
      const [some] = [...this.answers.keys()].filter(() => this.#random() < 0.1);
      if (some !== undefined) this.#told(some, await this.#ask(client, some));
    }
  }

  async #ask(client: WireClient, id: string): Promise<Answer> {
    return id.startsWith('n')
      ? await client.ask('Notify', { message: id, notifyId: id })
      : await client.ask('Run', { input: id, inputId: id, queue: true });
  }

  #draw(): string {
    this.#drawn += 1;
    return `${this.#random() < 0.3 ? 'n' : 'i'}${this.#drawn}`;
  }

  #told(id: string, answer: Answer): void {
    const { result, error } = answer;
    const before = this.answers.get(id);
    expect(error, id).toBeUndefined();
    if (before !== undefined && !id.startsWith('n')) expect(result, id).toEqual(before.result);
    this.answers.set(id, answer);
  }
}

describe('clients of a Pod that is killed by kill -9', () => {
  test('INV-7 PROTO-17 FAM-11: killed twelve times at random, each input is run once and each note told once, however often they are sent', async () => {
    const seed = Number(process.env['PODD_TEST_SEED'] ?? Date.now() % 1_000_000);
    const random = randomNumbers(seed);
    await using pod = new TempPod({ script: SCRIPT });
    const requests = new Requests(random);
    let lifeMsMax = LIFE_MS_MAX;
    const pending = Array.from({ length: CLIENTS }, () => ({ pending: null as string | null }));
    for (let life = 1; life <= LIVES; life += 1) {
      await pod.start();
      const clients = await Promise.all(pending.map(() => pod.client()));
      const work = clients.map((client, n) =>
        requests.goOn(client, pending[n] ?? { pending: null }).catch((error: unknown) => {
          // A connection that ended is what is tested; anything else is a fault.
          if (!client.ended) throw error;
        }),
      );
      // On a slow machine lives get longer, so that something is answered in them.
      if (requests.answers.size < 2 * life) lifeMsMax *= 1.25;
      await setTimeout(random() * lifeMsMax);
      await pod.kill9();
      await Promise.all(work);
      for (const client of clients) client[Symbol.dispose]();
    }
    await pod.start();
    using client = await pod.client();
    await client.call('Subscribe');
    for (const { pending: id } of pending)
      if (id?.startsWith('n') === true) await client.call('Notify', { message: id, notifyId: id });
      else if (id !== null) await client.call('Run', { input: id, inputId: id, queue: true });
    const isIdle = async (): Promise<boolean> => {
      const { state, waiting } = await client.call('GetStatus');
      const { notes, inputs } = waiting as { notes: number; inputs: number };
      return state === 'idle' && notes + inputs === 0;
    };
    while (!(await isIdle())) await client.event('state', ({ data }) => data['state'] === 'idle');
    const entries = await expectSound(pod, client);
    const texts = entries.flatMap((entry) => {
      const items =
        entry.kind === 'user_input'
          ? [entry.item]
          : entry.kind === 'injected_items'
            ? entry.items
            : [];
      return items.flatMap((item) => (item.type === 'message' ? item.content : []));
    });
    const told = texts.map((part) => (part.type === 'text' ? part.text : ''));
    const ids = told.flatMap((text) => /^(?:Note: )?([in]\d+)$/.exec(text)?.[1] ?? []);
    expect(new Set(ids).size, `seed ${seed}: something was done twice`).toBe(ids.length);
    const answered = [...requests.answers.keys()];
    expect(answered.length, `seed ${seed}`).toBeGreaterThan(LIVES);
    const lost = answered.filter((id) => !ids.includes(id));
    expect(lost, `seed ${seed}: acknowledged, and not done`).toEqual([]);
  });
});
