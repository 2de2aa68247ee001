import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { randomNumbers } from '../support/random-numbers.ts';
import { TempPod } from '../support/temp-pod.ts';
import type { WireClient } from '../support/wire-client.ts';
import { Acknowledged, askTestimony, findInvalid } from './acknowledged.ts';
import { allUntilDeath, liveUntilDeath } from './death.ts';
import { readWorkspace } from './story.ts';

const LIVES = 20;
/** A run takes about 60 ms here, so that a death comes anywhere in the first few of a life; on a slow machine lives get longer. */
const LIFE_MS = 250;

/** Each input names a file that holds one colon; its run adds one plus. An edit that ran twice would add two. */
const SCRIPT = `
loop = true
[[steps]]
when = '^(n\\d+|interrupted)'
delay_ms = 1
tool_calls = [{ name = "Read", arguments = { file_path = "{{cwd}}/{{input}}.txt" } }]
[[steps]]
when = '^Read [\\s\\S]*\\t:$'
text = "a plus is missing in {{input}}"
delay_ms = 1
chunk_bytes = 4
tool_calls = [
  { name = "Read", arguments = { file_path = "{{cwd}}/n0.txt" } },
  { name = "Edit", arguments = { file_path = "{{cwd}}/{{input}}.txt", old_string = ":", new_string = ":+" } },
]
[[steps]]
when = '^(Edited|Read [\\s\\S]*\\t:\\+$)'
text = "{{input}} has its plus"
delay_ms = 1
chunk_bytes = 4
`;

describe('a Pod that is killed by kill -9', () => {
  test('LOG-5, LOG-13, INV-1: killed twenty times at random under load, it loses nothing acknowledged', async () => {
    const seed = Number(process.env['PODD_TEST_SEED'] ?? Date.now() % 1_000_000);
    const random = randomNumbers(seed);
    await using pod = new TempPod({ script: SCRIPT });
    const told = new Acknowledged();
    const work = new Work(pod);
    let epoch = 0;
    let interruptions = 0;
    let lifeMsMax = LIFE_MS;
    for (let life = 1; life <= LIVES; life += 1) {
      const at = `seed ${seed}, life ${life}`;
      const end = await liveUntilDeath(pod, told, {
        life: async (client) => {
          const found = await askTestimony(client);
          expect(told.missingFrom(found), at).toEqual([]);
          expect(findInvalid(found.items), at).toEqual([]);
          expect(found.status['epoch'], at).toBe(epoch + 1);
          expect(work.findWrong(told), at).toEqual([]);
          epoch += 1;
          if (found.status['lastOutcome'] === 'interrupted') interruptions += 1;
          if (life > LIVES / 4 && told.endedRuns().size === 0) lifeMsMax *= 1.5;
          const killed = setTimeout(random() * lifeMsMax).then(() => pod.kill9());
          await allUntilDeath([
            work.goOn(client, found),
            watch(pod, told),
            watch(pod, told),
            killed,
          ]);
        },
      });
      expect(end, at).toBe('SIGKILL');
    }
    expect(told.endedRuns().size, `seed ${seed}: no run ended`).toBeGreaterThan(0);
    expect(interruptions, `seed ${seed}: too few deaths in a run`).toBeGreaterThan(LIVES / 4);

    await pod.start();
    using client = await pod.client();
    const found = await askTestimony(client);
    expect(told.missingFrom(found), `seed ${seed}`).toEqual([]);
    if (found.status['lastOutcome'] === 'interrupted') await client.call('Resume');
    const last = await askTestimony(client);
    expect(findInvalid(last.items), `seed ${seed}`).toEqual([]);
    expect(last.items.slice(0, found.items.length), `seed ${seed}`).toEqual(found.items);
    expect(last.status, `seed ${seed}`).toMatchObject({ lastOutcome: 'finished' });
    const undone = Object.entries(readWorkspace(pod)).filter(([, text]) => text !== ':+');
    // Only the last input may never have been taken.
    expect(
      undone.map(([name]) => name).filter((name) => name !== work.file),
      `seed ${seed}`,
    ).toEqual([]);
  });
});

/** Runs one after another, for as long as the Pod lives; what was interrupted is resumed first. */
class Work {
  readonly #pod: TempPod;
  #number = 0;

  constructor(pod: TempPod) {
    this.#pod = pod;
    pod.file(this.file, ':');
  }

  get file(): string {
    return `n${this.#number}.txt`;
  }

  async goOn(
    client: WireClient,
    { status, items }: Awaited<ReturnType<typeof askTestimony>>,
  ): Promise<never> {
    await client.call('Subscribe');
    const taken = items.some(
      (item) =>
        item.type === 'message' &&
        item.role === 'user' &&
        JSON.stringify(item.content).includes(`"n${this.#number}"`),
    );
    if (status['lastOutcome'] === 'interrupted') await client.call('Resume');
    if (taken) this.#next();
    for (;;) {
      const report = await client.call('Run', { input: `n${this.#number}` });
      expect(report).toMatchObject({ outcome: 'finished', text: `n${this.#number} has its plus` });
      this.#next();
    }
  }

  /** Files that were changed more than once, or not at all though their run's end was told. */
  findWrong(told: Acknowledged): string[] {
    const texts = readWorkspace(this.#pod);
    const wrong = Object.entries(texts).filter(([, text]) => text !== ':' && text !== ':+');
    const claimed = told.told('text_done').flatMap(({ data }) => {
      const name = /^(n\d+) has its plus$/.exec(String(data['text']))?.[1];
      return name === undefined || texts[`${name}.txt`] === ':+'
        ? []
        : [`${name} was told as done`];
    });
    return [...wrong.map(([name, text]) => `${name} holds "${text}"`), ...claimed];
  }

  #next(): void {
    this.#number += 1;
    this.#pod.file(this.file, ':');
  }
}

/** A second reader, who asks all the time. */
async function watch(pod: TempPod, told: Acknowledged): Promise<void> {
  const client = await pod.client();
  try {
    await client.call('Subscribe');
    for (;;) {
      await client.call('GetStatus');
      await client.call('GetHistory', { limit: 10 });
    }
  } catch (error) {
    await client.untilEnded();
    throw error;
  } finally {
    told.add(client);
    client[Symbol.dispose]();
  }
}
