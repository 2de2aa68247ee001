import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { callsOf, CompactingPod, heardIn } from '../support/compacting-pod.ts';
import { expectSound } from '../support/expect-sound.ts';
import { summaryOf } from '../support/working-model.ts';

const RETAINED = 'compaction.compact_retained_tokens = 500';
const SHORT_RUN = ['a', 'b', '.'];
const write = (text: string) => callsOf(['write_summary', { text }]);

describe('files that a compactor reads and marks', () => {
  test('COMP-3 COMP-6: marks and references of what it may not reach, or of no file, cost nothing, and the rest goes along', async () => {
    await using bench = await CompactingPod.start({
      settings: [
        RETAINED,
        'compaction.compact_auto_read_budget = 400',
        `scope = { deny = [{ target = "hidden", permission = "read" }] }`,
      ],
      steps: SHORT_RUN,
    });
    const { model, pod, client } = bench;
    mkdirSync(join(pod.workspace, 'hidden'));
    writeFileSync(join(pod.workspace, 'hidden', 'secret.ts'), 'the secret');
    writeFileSync(join(pod.workspace, 'pipe.txt'), '');
    execFileSync('mkfifo', [join(pod.workspace, 'fifo')]);
    await client.call('Run', { input: 'Look at the files.' });
    const mark = (path: string, range: object = {}) =>
      ['mark_read_required', { file_path: path, ...range }] as const;
    const bad = [
      join(pod.workspace, 'hidden', 'secret.ts'),
      '/etc/passwd',
      join(pod.workspace, 'none.ts'),
      pod.workspace,
      join(pod.workspace, 'fifo'),
    ];
    bench.compactor(
      callsOf(...bad.map((path) => mark(path))),
      callsOf(...bad.map((path) => ['read_file', { file_path: path }] as const)),
      callsOf(
        mark(model.path('a'), { limit: 4 }),
        mark(model.path('a'), { limit: 4 }),
        mark(model.path('b'), { offset: 2, limit: 12 }),
        mark(model.path('c')),
        ['add_reference', { file_path: join(pod.workspace, 'hidden', 'secret.ts') }],
        ['add_reference', { file_path: model.path('d') }],
        ['add_reference', { file_path: model.path('d') }],
      ),
      null,
    );
    await client.call('Compact');
    const [, refused, read, marked] = model.compactorBodies.map(heardIn);
    expect(refused?.split('\n')).toHaveLength(bad.length);
    for (const line of refused?.split('\n') ?? []) expect(line).not.toMatch(/^marked/);
    expect(`${refused} ${read}`).not.toContain('the secret');
    expect(marked).toMatch(/^marked \S+\/a\.ts for (\d+) tokens; (\d+) of 400 tokens remain/);
    expect(marked).toContain('is marked already');
    expect(marked).toContain('more than half is used');
    expect(marked).toMatch(
      /over the budget: \S+\/c\.ts costs more than the \d+ tokens that remain of 400/,
    );
    const { items } = await bench.history();
    const heads = items.flatMap((item) =>
      item.type === 'message' && item.role === 'system'
        ? item.content.flatMap((part) => (part.type === 'text' ? part.text.split('\n')[0] : []))
        : [],
    );
    expect(heads.slice(0, 4)).toEqual([
      '[Compacted context summary]',
      '[Ledger]',
      `[Auto-read file: ${model.path('a')}:1-4]`,
      `[Auto-read file: ${model.path('b')}:3-14]`,
    ]);
    const all = JSON.stringify(items);
    expect(all).not.toContain('the secret');
    expect(all).toContain(`- ${model.path('d')}`);
    expect(bench.server.refused).toEqual([]);
    await expectSound(pod, client);
  });

  test('COMP-3 COMP-15: with a budget of 0 no file may be marked; over its cap it is told once to come to an end, then it fails', async () => {
    await using bench = await CompactingPod.start({
      settings: [
        RETAINED,
        'compaction.compact_auto_read_budget = 0',
        'compaction.compact_worker_max_input_tokens = 3000',
      ],
      steps: SHORT_RUN,
    });
    const { model, client } = bench;
    await client.call('Run', { input: 'Look at the files.' });
    const before = await bench.history();
    const reads = () => callsOf(['read_file', { file_path: model.path('a') }]);
    bench.compactor(
      callsOf(['mark_read_required', { file_path: model.path('a'), limit: 1 }]),
      reads,
    );
    const failed = await client.ask('Compact');
    expect(failed.error?.data).toMatchObject({ code: 'compaction_failed', cause: 'input_cap' });
    const told = model.compactorBodies.map(heardIn);
    expect(told[1]).toContain('the budget is 0');
    expect(told.filter((text) => text.includes('You have read as much as you may'))).toHaveLength(
      1,
    );
    expect(told.at(-1)).toContain('You have read as much as you may');
    expect(await bench.history()).toEqual(before);

    // Who listens to it succeeds.
    bench.compactor((asked) =>
      heardIn(asked.body).includes('You have read') ? write(summaryOf(asked.body)) : reads(),
    );
    await client.call('Compact');
    expect(bench.server.refused).toEqual([]);
    await expectSound(bench.pod, client);
  });
});
