import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { LIMITS } from '../../daemon/core/limits.ts';
import {
  callsOf,
  CompactingPod,
  type Compactor,
  heardIn,
  refuses,
  says,
} from '../support/compacting-pod.ts';
import { expectSound } from '../support/expect-sound.ts';
import { SLOWNESS } from '../support/slowness.ts';
import { summaryOf } from '../support/working-model.ts';

const RETAINED = 'compaction.compact_retained_tokens = 500';
/** Nothing is sent twice, and what stalls is soon given up. */
const IMPATIENT = [
  'provider.max_retries = 0',
  `provider.first_event_timeout_ms = ${400 * SLOWNESS}`,
  `provider.idle_timeout_ms = ${400 * SLOWNESS}`,
];
const SHORT_RUN = ['a', 'b', '.'];
const DIRECTIVE = 'Directive 1: never touch d.ts.';

const write = (text: string) => callsOf(['write_summary', { text }]);
const markAnd = (pod: CompactingPod, text: string) =>
  callsOf(
    ['mark_read_required', { file_path: pod.model.path('a'), limit: 3 }],
    ['write_summary', { text }],
  );
const HUGE = 'This was done, and it took long. '.repeat(4000);
const WITHOUT_DIRECTIVE = 'Much was done.\n\n## User Directives\n- none\n\n## Current Work\nNone.';

type Case = {
  readonly does: string;
  readonly compactor: (pod: CompactingPod) => Compactor;
  /** Null: it succeeds. */
  readonly cause: string | null;
  readonly requests: number;
  /** What it was told at its second, third, … request. */
  readonly told?: readonly RegExp[];
};

const CASES: readonly Case[] = [
  {
    does: 'writes no summary',
    compactor: () => [says('I would rather not.')],
    cause: 'summary_missing',
    requests: 2,
    told: [/There is no summary yet/],
  },
  {
    does: 'hands in an empty summary, and after the nudge another',
    compactor: () => [write(' \n'), says('Done.'), write(''), says('Done.')],
    cause: 'summary_missing',
    requests: 4,
    told: [/the summary is empty/, /There is no summary yet/, /the summary is empty/],
  },
  {
    does: 'needs a nudge for the summary, and gets none for files',
    compactor: () => [says('What a conversation!'), (asked) => write(summaryOf(asked.body))],
    cause: null,
    requests: 2,
    told: [/There is no summary yet/],
  },
  {
    does: 'marks nothing and, asked about it, needs nothing',
    compactor: () => [(asked) => write(summaryOf(asked.body)), says('None is needed.')],
    cause: null,
    requests: 2,
    told: [/None of the files was marked/],
  },
  {
    does: 'writes a huge summary, and again',
    compactor: (pod) => [() => markAnd(pod, HUGE)],
    cause: 'not_smaller',
    requests: 2,
    told: [/can't be used:\n- with it the history has \d+ tokens, and had \d+ before/],
  },
  {
    does: 'drops a directive of the summary before, and again',
    compactor: (pod) => [() => markAnd(pod, WITHOUT_DIRECTIVE)],
    cause: 'invalid',
    requests: 2,
    told: [/this directive of the user.s is missing from it: .*never touch d\.ts/],
  },
  {
    does: 'drops a directive, and mends that',
    compactor: (pod) => [() => markAnd(pod, WITHOUT_DIRECTIVE), null],
    cause: null,
    requests: 2,
    told: [/never touch d\.ts/],
  },
  {
    does: 'reads and never comes to an end',
    compactor: (pod) => [
      () => callsOf(['read_file', { file_path: pod.model.path('a'), limit: 2 }]),
    ],
    cause: 'deadline',
    requests: LIMITS.compactorTurns,
  },
  {
    does: 'answers with 500',
    compactor: () => [refuses(500, 'api_error')],
    cause: 'provider',
    requests: 1,
  },
  {
    does: 'answers with 529',
    compactor: () => [refuses(529, 'overloaded_error')],
    cause: 'provider',
    requests: 1,
  },
  {
    does: 'answers with 401',
    compactor: () => [refuses(401, 'authentication_error')],
    cause: 'provider',
    requests: 1,
  },
  {
    does: 'calls the prompt too long',
    compactor: () => [refuses(400, 'invalid_request_error', 'prompt is too long: 9 > 8 maximum')],
    cause: 'provider',
    requests: 1,
  },
  {
    does: 'cuts its answer off',
    compactor: () => [{ kind: 'begins', then: 'ends' }],
    cause: 'provider',
    requests: 1,
  },
  {
    does: 'stalls in its answer',
    compactor: () => [{ kind: 'begins', then: 'stalls' }],
    cause: 'provider',
    requests: 1,
  },
  {
    does: 'says nothing at all',
    compactor: () => [{ kind: 'silent' }],
    cause: 'provider',
    requests: 1,
  },
];

describe('a compactor that misbehaves', () => {
  test('COMP-5 COMP-10 COMP-15 PROTO-8: case by case, it fails with its cause or succeeds, the session goes on, and the next run ends as any', async () => {
    await using bench = await CompactingPod.start({
      settings: [RETAINED, ...IMPATIENT],
      steps: SHORT_RUN,
    });
    const { model, server } = bench;
    await bench.client.call('Run', { input: DIRECTIVE });
    await bench.client.call('Compact');
    await bench.client.call('Run', { input: 'Look at the files.' });
    for (const one of CASES) await playCase(bench, one);
    expect(model.compactorBodies.length).toBeGreaterThan(CASES.length);
    expect(server.refused).toEqual([]);
    await expectSound(bench.pod, bench.client);
  });

  test('COMP-3 COMP-5 PROTO-8: a model of its own that is gone fails the compaction alone', async () => {
    const gone = createServer().listen(0, '127.0.0.1');
    await once(gone, 'listening');
    const { port } = gone.address() as AddressInfo;
    gone.close();
    await using bench = await CompactingPod.start({
      settings: [
        RETAINED,
        `compaction.provider = { kind = "anthropic", model = "other", base_url = "http://127.0.0.1:${port}", max_retries = 0 }`,
      ],
      steps: SHORT_RUN,
    });
    const { client } = bench;
    await client.call('Run', { input: 'Look at the files.' });
    const before = await bench.history();
    const { error } = await client.ask('Compact');
    expect(error?.data).toMatchObject({ code: 'compaction_failed', cause: 'provider' });
    expect(await bench.history()).toEqual(before);
    expect(await client.call('Run', { input: 'go on' })).toMatchObject({ outcome: 'finished' });
    expect(bench.model.compactorBodies).toEqual([]);
    await expectSound(bench.pod, client);
  });
});

async function playCase(bench: CompactingPod, one: Case): Promise<void> {
  const { client, model } = bench;
  const { does, cause } = one;
  const before = await bench.history();
  const { failures } = (await client.call('GetStatus'))['compaction'] as { failures: number };
  const [bodies, events] = [model.compactorBodies.length, client.events.length];
  bench.compactor(...one.compactor(bench));
  const { result, error } = await client.ask('Compact');
  const asked = model.compactorBodies.slice(bodies);
  expect(asked.length, does).toBe(one.requests);
  for (const [index, told] of (one.told ?? []).entries())
    expect(heardIn(asked[index + 1]), does).toMatch(told);
  const after = await bench.history();
  const { compaction } = await client.call('GetStatus');
  if (cause === null) {
    expect(result, does).toMatchObject({ from: before.sessionId, sessionId: after.sessionId });
    expect(after.sessionId, does).not.toBe(before.sessionId);
    expect(JSON.stringify(after.items), does).toContain(DIRECTIVE);
    expect(compaction, does).toMatchObject({ failures: 0, disabled: false });
  } else {
    expect(error?.data, does).toMatchObject({ code: 'compaction_failed', cause });
    expect(after, does).toEqual(before);
    const count = { failures: failures + 1, disabled: failures + 1 >= LIMITS.compactionFailures };
    expect(compaction, does).toMatchObject(count);
    const told = client.events.slice(events).filter(({ event }) => event !== 'state');
    expect(told.map(({ event }) => event).slice(0, 3), does).toEqual([
      'compaction_start',
      'compaction_failed',
      'notification',
    ]);
    expect(told[1]?.data, does).toMatchObject({ cause, ...count });
    expect(told[2]?.data, does).toMatchObject({ level: 'warn', source: 'compactor' });
  }
  expect(await client.call('Run', { input: 'go on' }), does).toMatchObject({
    outcome: 'finished',
    text: expect.stringContaining('Done with step') as string,
  });
}
