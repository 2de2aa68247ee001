import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { claudePod } from '../support/claude-pod.ts';
import { expectSound } from '../support/expect-sound.ts';
import { type Conduct, ModelServer } from '../support/model-server.ts';
import { type CacheUse, costOf, PromptCache, withRollingMark } from '../support/prompt-cache.ts';

const LINES = 'one line of a file that is read\n'.repeat(60);

describe('the prompt cache of Claude, simulated on the bodies really sent', () => {
  test.each([
    [1, 'no'],
    [20, 'no'],
    [40, 'no'],
    [20, 'a'],
  ])(
    'PROV-8: %i parallel calls a turn, with %s budget to think, leave all that came before in the cache, also across a kill -9',
    async (calls, budget) => {
      await using server = new ModelServer();
      const thinks = budget === 'a';
      const overlays = thinks ? ['provider.thinking_budget = 2000'] : [];
      await using pod = await claudePod(server, overlays);
      const turn = (n: number): Conduct => ({
        kind: 'answer',
        blocks: [
          // As a model does that was given one: behind words of the user's, not between its calls.
          ...(thinks && n !== 2 ? [{ thinking: 'hm', signature: 's' }] : []),
          ...Array.from({ length: calls }, (_, call) => ({
            call: `t${n}c${call}`,
            name: 'Read',
            input: { file_path: join(pod.workspace, `f${call}`), limit: 20 },
          })),
        ],
      });
      for (let call = 0; call < calls; call += 1) pod.file(`f${call}`, LINES);
      server.cache = new PromptCache();
      server.conduct(turn(1), turn(2), { kind: 'begins', then: 'stalls' });
      await pod.start();
      {
        using client = await pod.client();
        await client.call('Subscribe');
        client.send(
          `${JSON.stringify({ jsonrpc: '2.0', method: 'Run', params: { input: LINES.repeat(3) } })}\n`,
        );
        await client.event('text_delta');
        await pod.kill9();
      }
      server.conduct(turn(3), { kind: 'answer', blocks: [{ text: 'Read.' }] });
      await pod.start();
      using client = await pod.client();
      expect(await client.call('Resume')).toMatchObject({ outcome: 'finished' });

      const bodies = server.asked.map(({ body }) => body);
      expect(bodies).toHaveLength(5);
      const [ours, single] = [new PromptCache(), new PromptCache()];
      const uses = bodies.map((body) => ours.use(body));
      const naive = bodies.map((body) => single.use(withRollingMark(body)));
      for (const [index, use] of uses.entries()) {
        const before = uses[index - 1];
        if (before === undefined) continue;
        // All of the last request, and nothing is paid for twice.
        expect(use.read, `request ${index}`).toBe(before.read + before.write);
        expect(use.fresh, `request ${index}`).toBe(0);
      }
      const sum = (all: readonly CacheUse[]): number =>
        all.reduce((total, use) => total + costOf(use), 0);
      if (calls > 1) expect(sum(naive) / sum(uses)).toBeGreaterThan(1.5);
      // What the server counted is what podd tells, but for the request that died with the process.
      const told = uses.filter((_, index) => index !== 2);
      expect((await client.call('GetStatus'))['usage']).toMatchObject({
        cacheRead: told.reduce((total, { read }) => total + read, 0),
        cacheWrite: told.reduce((total, { write }) => total + write, 0),
      });
      expect(server.refused).toEqual([]);
      await expectSound(pod, client);
    },
  );
});
