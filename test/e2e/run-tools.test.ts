import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { expectSound } from '../support/expect-sound.ts';
import { TempPod } from '../support/temp-pod.ts';

type Call = readonly [name: string, args: Readonly<Record<string, string>>];

/** A script that makes these calls, one answer each list, and then says done. */
function script(...answers: readonly (readonly Call[])[]): string {
  const step = (calls: readonly Call[]): string =>
    calls
      .map(([name, args]) => {
        const keys = Object.entries(args).map(
          ([k, value]) => `arguments.${k} = ${JSON.stringify(value)}\n`,
        );
        return `[[steps.tool_calls]]\nname = "${name}"\n${keys.join('')}`;
      })
      .join('');
  return `${answers.map((calls) => `[[steps]]\n${step(calls)}`).join('')}[[steps]]\ntext = "done"\n`;
}

const A = '{{workspace}}/a.txt';
const read = (file_path = A): Call => ['Read', { file_path }];
const edit = (old_string: string, new_string: string, file_path = A): Call => [
  'Edit',
  { file_path, old_string, new_string },
];

type Result = { readonly callId: string; readonly summary: string; readonly isError: boolean };

/** Plays the script to its end and answers the results as they were told, which is as they are stored. */
async function play(pod: TempPod): Promise<Result[]> {
  await pod.start();
  using client = await pod.client();
  await client.call('Subscribe');
  const report = await client.call('Run', { input: 'go' });
  expect(report).toMatchObject({ outcome: 'finished', text: 'done' });
  const { items } = (await client.call('GetHistory')) as { items: { type: string }[] };
  const told = client.events.filter(({ event }) => event === 'tool_result');
  const stored = items.filter(({ type }) => type === 'tool_result');
  expect(told.map(({ data }) => [data['callId'], data['summary']])).toEqual(
    (stored as unknown as Result[]).map(({ callId, summary }) => [callId, summary]),
  );
  await expectSound(pod, client);
  return told.map(({ data }) => data as unknown as Result);
}

describe('tool calls', () => {
  test('LOOP-2, INV-4: parallel calls have their results in call order', async () => {
    const names = Array.from({ length: 12 }, (_, at) => `f${at}.txt`);
    await using pod = new TempPod({
      script: script(names.map((name) => read(`{{workspace}}/${name}`))),
    });
    // Sizes that fall, so that later calls are done earlier.
    for (const [at, name] of names.entries()) pod.file(name, `${at}\n`.repeat(40_000 >> at));
    const results = await play(pod);
    expect(results.map(({ callId }) => callId)).toEqual(names.map((_, at) => `call_1_${at + 1}`));
    for (const [at, { summary }] of results.entries()) expect(summary).toContain(`f${at}.txt`);
  });

  test('TOOL-3, LOOP-2: two edits of one file in one answer both land, in call order', async () => {
    await using pod = new TempPod({
      script: script([read()], [edit('one', 'eins'), edit('two', 'zwei'), edit('eins', 'uno')]),
    });
    const path = pod.file('a.txt', 'one two three\n');
    const results = await play(pod);
    expect(results.map(({ isError }) => isError)).toEqual([false, false, false, false]);
    expect(readFileSync(path, 'utf8')).toBe('uno zwei three\n');
  });

  test('TOOL-3: a Write over a file and an Edit of it are refused before it was read', async () => {
    await using pod = new TempPod({
      script: script([edit('one', 'eins')], [['Write', { file_path: A, content: 'new' }]]),
    });
    const path = pod.file('a.txt', 'one\n');
    const results = await play(pod);
    expect(results.map(({ isError }) => isError)).toEqual([true, true]);
    for (const { summary } of results) expect(summary).toMatch(/[Rr]ead/);
    expect(readFileSync(path, 'utf8')).toBe('one\n');
  });

  test('TOOL-3: an Edit of a file that changed since it was read is refused', async () => {
    await using pod = new TempPod({
      script: `[[steps]]\n[[steps.tool_calls]]\nname = "Read"\narguments.file_path = "${A}"\n${script([edit('one', 'x')])}`,
    });
    const path = pod.file('a.txt', 'one\n');
    await pod.start();
    using client = await pod.client();
    await client.call('Subscribe');
    const report = client.call('Run', { input: 'go' });
    await client.event('tool_result');
    writeFileSync(path, 'one more\n');
    await report;
    const [, second] = client.events.filter(({ event }) => event === 'tool_result');
    // The edit may have come before the change, and is then part of what was changed.
    if (second?.data['isError'] === true) expect(readFileSync(path, 'utf8')).toBe('one more\n');
    await expectSound(pod, client);
  });

  test('LOOP-2: an unknown tool, wrong arguments and a file outside the scope are results, and the run goes on', async () => {
    await using pod = new TempPod({
      script: script(
        [['Explode', {}]],
        [['Read', { path: A }]],
        [['Read', {}]],
        [read('/etc/passwd')],
        [['Write', { file_path: '/tmp/podd-outside', content: 'x' }]],
        [read('{{workspace}}/../pod.toml')],
        [read('relative.txt')],
        [read('{{workspace}}/missing.txt')],
      ),
    });
    const results = await play(pod);
    expect(results).toHaveLength(8);
    for (const result of results) expect(result).toMatchObject({ isError: true });
    const says = results.map(({ summary }) => summary);
    expect(says[0]).toBe('there is no tool Explode; there are: Edit, Read, Write');
    expect(says[1]).toContain('file_path');
    expect(says[2]).toContain('file_path');
    for (const at of [3, 4, 5]) expect(says[at]).toContain('outside');
    expect(says[6]).toContain('absolute');
    expect(says[7]).toContain('missing.txt');
  });

  test('LOOP-2: a failing call beside good ones takes nothing from them', async () => {
    const b = '{{workspace}}/b.txt';
    await using pod = new TempPod({
      script: script([read(), read('/etc/passwd'), ['Write', { file_path: b, content: 'b' }]]),
    });
    pod.file('a.txt', 'a\n');
    const results = await play(pod);
    expect(results.map(({ isError }) => isError)).toEqual([false, true, false]);
    expect(readFileSync(join(pod.workspace, 'b.txt'), 'utf8')).toBe('b');
  });

  test('INV-1: a write’s intent is stored before its result', async () => {
    await using pod = new TempPod({
      script: script([['Write', { file_path: '{{workspace}}/n.txt', content: 'x' }]]),
    });
    await pod.start();
    using client = await pod.client();
    await client.call('Run', { input: 'go' });
    const kinds = (await expectSound(pod, client)).map(({ kind }) => kind);
    expect(kinds).toEqual([
      'session_start',
      'run_start',
      'user_input',
      'assistant_items',
      'llm_usage',
      'call_started',
      'tool_results',
      'turn_end',
      'assistant_items',
      'llm_usage',
      'turn_end',
      'run_outcome',
    ]);
  });
});
