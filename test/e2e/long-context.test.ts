import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { claudePod } from '../support/claude-pod.ts';
import { expectSound } from '../support/expect-sound.ts';
import { ModelServer } from '../support/model-server.ts';
import { PromptCache } from '../support/prompt-cache.ts';
import { deadline } from '../support/slowness.ts';
import { allText, WorkingModel } from '../support/working-model.ts';

const WINDOW = 40_000;
const RUNS = 50;
const TURNS_OF_RUN = 10;

const SETTINGS = [
  'provider.context_window = 40000',
  `[compaction]
compact_threshold = 26000
compact_request_threshold = 32000
compact_retained_tokens = 6000
compact_auto_read_budget = 2000
prune_protected_turns = 2`,
];

type Compacted = { from: string; sessionId: string; tokensBefore: number; tokensAfter: number };

test(
  'COMP-1, COMP-6, COMP-10, COMP-11, PRUNE-1, INV-13: 500 turns in a window of 40,000 tokens lose no directive, never fill it, and stay valid',
  async () => {
    await using server = new ModelServer();
    await using pod = await claudePod(server, SETTINGS);
    const model = new WorkingModel({ workspace: pod.workspace, window: WINDOW });
    server.cache = new PromptCache();
    server.conduct(model.plan);
    await pod.start();
    using client = await pod.client();
    await client.call('Subscribe');
    const first = 'Make the files grow, one step after the other.';
    const inputs = Array.from({ length: RUNS }, (_, run) =>
      run === 0 ? first : `Directive ${run}: keep rule number ${run} in mind for all that follows.`,
    );
    let turns = 0;
    for (const input of inputs) {
      const report = await client.call('Run', { input });
      expect(report).toMatchObject({
        outcome: 'finished',
        text: expect.stringContaining('Done with step') as string,
      });
      turns += Number(report['turns']);
    }
    expect(turns).toBe(RUNS * TURNS_OF_RUN);

    const done = client.events.filter(({ event }) => event === 'compaction_done');
    const failed = client.events.filter(({ event }) => event === 'compaction_failed');
    expect(failed).toEqual([]);
    expect(done.length).toBeGreaterThan(5);
    for (const { data } of done) {
      const { tokensBefore, tokensAfter } = data as Compacted;
      expect(tokensAfter).toBeLessThan(tokensBefore);
      expect(tokensAfter).toBeLessThanOrEqual(32_000);
    }
    expect(server.refused).toEqual([]);
    console.info(
      `${model.tokens.length} requests, ${done.length} compactions, at most ${Math.max(...model.tokens)} tokens`,
    );
    expect(Math.max(...model.tokens)).toBeLessThanOrEqual(WINDOW);

    const last = allText(model.bodies.at(-1) ?? {});
    for (const input of inputs) expect(last).toContain(input);
    const ledger = /\[Ledger\][\s\S]*?(?=<\/system>)/.exec(last)?.[0] ?? '';
    for (const name of ['b', 'c', 'd']) expect(ledger).toContain(model.path(name));
    // Never written, so its hash in the ledger is that of now.
    const hash = createHash('sha256')
      .update(readFileSync(model.path('a')))
      .digest('hex');
    expect(ledger).toContain(hash.slice(0, 12));
    await expectSound(pod, client);
  },
  deadline(60_000),
);
