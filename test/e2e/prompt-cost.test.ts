import { describe, expect, test } from 'vitest';
import type { SessionEntry } from '../../daemon/core/entry.ts';
import { claudePod } from '../support/claude-pod.ts';
import { expectSound } from '../support/expect-sound.ts';
import { type Asked, type Conduct, ModelServer } from '../support/model-server.ts';
import { KEPT_MS, PromptCache } from '../support/prompt-cache.ts';
import { firstChange, prefixOf } from '../support/sent-prefix.ts';
import { deadline } from '../support/slowness.ts';
import type { TempPod } from '../support/temp-pod.ts';
import type { WireClient } from '../support/wire-client.ts';
import { allText, asksForSummary, WorkingModel } from '../support/working-model.ts';

const WINDOW = 40_000;
const SETTINGS = [
  'provider.context_window = 40000',
  `[compaction]
compact_threshold = 18000
compact_request_threshold = 22000
compact_retained_tokens = 4000
compact_auto_read_budget = 2000
prune_protected_turns = 1
prune_protected_tokens = 4000`,
];
const LEFT_OUT = '[left out to save room';

/** A model at work, which now and then reads all files at once; `before` sees each request of a run, and may answer it. */
function workingPlan(
  pod: TempPod,
  before: (asked: Asked, request: number) => Conduct | null,
): (asked: Asked) => Conduct | Promise<Conduct> {
  const model = new WorkingModel({ workspace: pod.workspace, window: WINDOW });
  let request = 0;
  return (asked) => {
    if (asksForSummary(asked.body)) return model.plan(asked);
    const other = before(asked, request);
    request += 1;
    if (other !== null) return other;
    if (request % 9 !== 4) return model.plan(asked);
    const blocks = ['a', 'b', 'c', 'd'].map((name) => ({
      call: `all_${request}_${name}`,
      name: 'Read',
      input: { file_path: model.path(name), limit: 10 },
    }));
    return { kind: 'answer', blocks };
  };
}

/** Why the prefix of each answered request may be another than that of the one before, as it is stored; null: it may not. */
function reasonsOf(entries: readonly SessionEntry[]): (string | null)[] {
  const reasons: (string | null)[] = [];
  let reason: string | null = null;
  for (const entry of entries) {
    if (entry.kind === 'session_start') reason = 'session_start';
    if (entry.kind === 'prune_marked') reason ??= 'prune_marked';
    if (entry.kind !== 'llm_usage' || entry.record.kind !== 'run') continue;
    reasons.push(reason);
    reason = null;
  }
  return reasons;
}

describe('what a provider can have kept of a prompt', () => {
  test(
    'CACHE-1: over 60 requests with notes, parallel calls, pruning and compactions, what was sent before is sent again byte for byte, but where a mark moved or a summary took its place',
    async () => {
      await using server = new ModelServer();
      await using pod = await claudePod(server, SETTINGS);
      server.cache = new PromptCache();
      await pod.start();
      using client = await pod.client();
      using other = await pod.client();
      const notes: Promise<unknown>[] = [];
      let ofRun = 0;
      const plan = workingPlan(pod, (_, request) => {
        ofRun += 1;
        // Early in a run: one that comes behind its last request begins a run of its own.
        if (ofRun === 2 || ofRun === 4) {
          const note = { message: `Note at request ${request}.`, notifyId: `n${request}` };
          notes.push(other.call('Notify', note));
        }
        return null;
      });
      server.conduct(plan);
      for (let run = 0; run < 6; run += 1) {
        ofRun = 0;
        expect(await client.call('Run', { input: `Directive ${run}: go on.` })).toMatchObject({
          outcome: 'finished',
        });
      }
      await Promise.all(notes);
      const reasons = reasonsOf(await expectSound(pod, client, other));

      const bodies = server.asked.map(({ body }) => body).filter((body) => !asksForSummary(body));
      expect(bodies.length).toBeGreaterThanOrEqual(60);
      expect(reasons).toHaveLength(bodies.length);
      expect(server.refused).toEqual([]);
      const prefixes = bodies.map(prefixOf);
      const told = new Set<string>();
      for (const [index, after] of prefixes.entries()) {
        const before = prefixes[index - 1];
        if (before === undefined) continue;
        const at = firstChange(before, after);
        const reason = reasons[index] ?? null;
        expect(at === null ? null : 'changed', `request ${index}`).toBe(
          reason === null ? null : 'changed',
        );
        if (at === null || reason === null) continue;
        told.add(reason);
        // Prompt and tools stay also then.
        expect(after.texts[at], `request ${index}`).toMatch(/^\d/);
        if (reason === 'session_start') continue;
        const changed = before.texts.flatMap((text, place) =>
          after.texts[place] === text ? [] : [after.texts[place] ?? ''],
        );
        for (const text of changed) expect(text).toContain(LEFT_OUT);
      }
      expect([...told].sort()).toEqual(['prune_marked', 'session_start']);
      const withNotes = bodies.filter((body) => /Note at request \d+\./.test(allText(body)));
      expect(withNotes.length).toBeGreaterThan(20);
    },
    deadline(10_000),
  );

  test(
    'CACHE-2: after a kill -9 in the middle of a run, also with results left out and after a compaction, Resume sends what was sent last, byte for byte up to the last breakpoint',
    async () => {
      await using server = new ModelServer();
      await using pod = await claudePod(server, SETTINGS);
      server.cache = new PromptCache();
      const kills: { readonly state: string; readonly index: number }[] = [];
      let stalled = '';
      const plan = workingPlan(pod, ({ body }, request) => {
        const text = allText(body);
        const state = text.includes('[Compacted context summary]')
          ? 'compacted'
          : text.includes(LEFT_OUT)
            ? 'pruned'
            : 'plain';
        // In the middle of a run, and not with the first request of its kind.
        const isAfterCalls = prefixOf(body).texts.at(-1)?.includes('"tool_result"') === true;
        if (request < 3 || !isAfterCalls || kills.some((kill) => kill.state === state)) return null;
        kills.push({ state, index: server.asked.length - 1 });
        stalled = state;
        return { kind: 'begins', then: 'stalls' };
      });
      server.conduct(plan);
      await pod.start();
      for (let run = 0; run < 6; run += 1) {
        stalled = '';
        let client = await pod.client();
        await client.call('Subscribe', { events: ['text_delta'] });
        let answered = client.call('Run', { input: `Directive ${run}: go on.` });
        for (;;) {
          const end = await Promise.race([
            answered.then(() => 'answered' as const),
            begunAnswer(client, () => stalled !== ''),
          ]);
          if (end === 'answered') break;
          answered.catch(() => undefined);
          await pod.kill9();
          client[Symbol.dispose]();
          stalled = '';
          await pod.start();
          client = await pod.client();
          await client.call('Subscribe', { events: ['text_delta'] });
          answered = client.call('Resume');
        }
        expect(await answered).toMatchObject({ outcome: 'finished' });
        client[Symbol.dispose]();
      }
      expect(kills.map(({ state }) => state)).toEqual(['plain', 'pruned', 'compacted']);
      for (const { state, index } of kills) {
        const [before, after] = [index, index + 1].map((at) =>
          prefixOf(server.asked[at]?.body ?? {}),
        );
        expect(before?.upToMark, state).toBeGreaterThan(5);
        expect(after?.texts.slice(0, after.upToMark), state).toEqual(
          before?.texts.slice(0, before.upToMark),
        );
      }
      expect(server.refused).toEqual([]);
    },
    deadline(10_000),
  );
});

/** Whatever comes first of an answer that will not end; it says so when its request is told to be one. */
async function begunAnswer(client: WireClient, isStalled: () => boolean): Promise<'stalled'> {
  return await client.waitFor(
    () =>
      isStalled() && client.events.some(({ data }) => data['text'] === 'so far')
        ? 'stalled'
        : undefined,
    'an answer that stalls',
  );
}

describe('why less was read from the cache', () => {
  test(
    'CACHE-3: each usage event and the status name what was hit, and after a miss its reason',
    async () => {
      await using server = new ModelServer();
      await using pod = await claudePod(server, [
        `[compaction]
prune_protected_turns = 1
prune_min_savings = 1000
compact_retained_tokens = 0`,
      ]);
      let now = 0;
      server.cache = new PromptCache(() => now);
      const model = new WorkingModel({ workspace: pod.workspace, window: WINDOW });
      let calls = 0;
      const reads = (): Conduct => {
        calls += 1;
        const input = { file_path: model.path('a') };
        return { kind: 'answer', blocks: [{ call: `r${calls}`, name: 'Read', input }] };
      };
      const says: Conduct = { kind: 'answer', blocks: [{ text: 'Done.' }] };
      const seen: (string | number)[] = [];
      const run = async (client: WireClient): Promise<void> => {
        const from = client.events.length;
        // Shorter prompts are not kept at all.
        await client.call('Run', { input: 'Look at a. '.repeat(200) });
        const caches = client.events
          .slice(from)
          .flatMap(({ event, data }) =>
            event === 'usage' ? [data['cache'] as { hit: number; reason?: string }] : [],
          );
        seen.push(...caches.map(({ reason, hit }) => reason ?? (hit > 0 ? 'hit' : 'nothing')));
        expect((await client.call('GetStatus'))['cache']).toEqual(caches.at(-1));
      };
      await pod.start();
      {
        using client = await pod.client();
        await client.call('Subscribe');
        server.conduct(
          reads(),
          reads(),
          () => {
            now += KEPT_MS;
            return reads();
          },
          says,
        );
        await run(client);
        server.conduct(reads(), says);
        await run(client);
        server.conduct(model.plan);
        await client.call('Compact');
        server.conduct(says);
        await run(client);
        await expectSound(pod, client);
      }
      await pod.start();
      using client = await pod.client();
      await client.call('Subscribe');
      server.conduct(reads(), says);
      await run(client);
      expect(seen).toEqual([
        ...['first_request', 'hit', 'expired', 'hit'],
        ...['pruned', 'hit'],
        'compacted',
        // A start of its own is no reason.
        ...['hit', 'hit'],
      ]);
      expect(server.refused).toEqual([]);
      await expectSound(pod, client);
    },
    deadline(10_000),
  );

  test(
    'CACHE-3: a cache that has expired is named so also where a transient note was left out since',
    async () => {
      await using server = new ModelServer();
      await using pod = await claudePod(server, ['worker.notifications = "transient"']);
      let now = 0;
      server.cache = new PromptCache(() => now);
      const input = { file_path: pod.file('a', 'a line\n'.repeat(20)) };
      const read = (id: string): Conduct => ({
        kind: 'answer',
        blocks: [{ call: id, name: 'Read', input }],
      });
      await pod.start();
      using client = await pod.client();
      using other = await pod.client();
      await client.call('Subscribe');
      const busy = { kind: 'status', status: 529, type: 'overloaded_error', message: 'b' } as const;
      server.conduct({ ...busy, headers: { 'retry-after': '1' } }, read('r1'), () => {
        now += KEPT_MS;
        return { kind: 'answer', blocks: [{ text: 'Done.' }] };
      });
      const answered = client.call('Run', { input: 'Look at a. '.repeat(400) });
      // It waits for the second attempt, and goes along with that alone.
      await client.event('retry');
      await other.call('Notify', { message: 'By the way.', notifyId: 'n1' });
      await answered;
      expect(server.asked.map(({ body }) => allText(body).includes('By the way.'))).toEqual([
        ...[false, true, false],
      ]);
      expect((await client.call('GetStatus'))['cache']).toEqual({ hit: 0, reason: 'expired' });
    },
    deadline(10_000),
  );
});
