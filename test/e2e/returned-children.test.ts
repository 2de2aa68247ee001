import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ok } from '../../daemon/core/result.ts';
import { delegate } from '../../daemon/core/scope-table.ts';
import { bundleFixture } from '../support/bundle-fixture.ts';
import type { FixtureProcess } from '../support/fixture-process.ts';
import { startFixture } from '../support/fixture-process.ts';
import { TempPod } from '../support/temp-pod.ts';
import { TempRegistry, writes } from '../support/temp-registry.ts';
import { until } from '../support/until.ts';

const TRIES_BOTH = `
loop = true
[[steps]]
[[steps.tool_calls]]
name = "Write"
arguments = { file_path = "{{workspace}}/one/mine.txt", content = "x" }
[[steps.tool_calls]]
name = "Write"
arguments = { file_path = "{{workspace}}/mine.txt", content = "x" }
[[steps]]
text = "done"
`;

/** What the spawner's daemon does for a child, done for it. */
async function delegateTo(at: TempRegistry, name: string, folder: string): Promise<void> {
  const child = { ...at.request(name, []), ...at.identity, at: 1 };
  const { answer } = await at.registry.change(
    { pod: 'p', pid: process.pid },
    (table) => {
      const given = delegate(table, { spawner: 'p', child, rules: [writes(folder)] });
      return given.ok ? ok({ table: given.value.table, value: null }) : given;
    },
    new AbortController().signal,
  );
  expect(answer).toMatchObject({ ok: true });
}

async function goesOn(child: FixtureProcess): Promise<void> {
  const seen = child.lines().length;
  await until(() => child.lines().length > seen + 2, 'the child to go on writing');
  expect(child.lines()).not.toContain('lost');
}

describe('podd', () => {
  test('SCOPE-20 SCOPE-16: a parent killed by -9 while two children write comes back without a refusal; what they have is not its own', async () => {
    await using fixture = await bundleFixture('child-writer.ts');
    await using pod = new TempPod({ script: TRIES_BOTH });
    const first = await pod.start();
    await using at = await TempRegistry.open(pod.registry);
    const folders = ['one', 'two'].map((name) => join(pod.workspace, name));
    const children: FixtureProcess[] = [];
    for (const [index, folder] of folders.entries()) {
      mkdirSync(folder);
      await delegateTo(at, `c${index}`, folder);
      children.push(startFixture(fixture.path, [pod.registry, `c${index}`, folder]));
    }
    const [one, two] = children;
    if (one === undefined || two === undefined) throw new Error('two children were started');
    await using _one = one;
    await using _two = two;
    await Promise.all(children.map((child) => child.waitForLines(1)));

    await pod.kill9();
    await Promise.all(children.map(goesOn));
    const again = await pod.start();
    expect(again.epoch).toBeGreaterThan(first.epoch);
    await Promise.all(children.map(goesOn));
    using client = await pod.client();
    const status = await client.call('GetStatus', {});
    expect(status).toMatchObject({
      children: ['c0', 'c1'],
      scope: { delegated: { allow: folders.map(writes) } },
    });
    await client.call('Subscribe', {});
    await expect(client.call('Run', { input: 'go' })).resolves.toMatchObject({ text: 'done' });
    const results = client.events.filter(({ event }) => event === 'tool_result');
    expect(results.map(({ data }) => (data as { isError: boolean }).isError)).toEqual([
      true,
      false,
    ]);
    expect(readFileSync(join(pod.workspace, 'mine.txt'), 'utf8')).toBe('x');

    // What a child had comes back with the next look at the registry after its end.
    await one.kill();
    await using _lease = await at.claim('somebody', ['/elsewhere']);
    await expect(client.call('Run', { input: 'go' })).resolves.toMatchObject({});
    expect(await client.call('GetStatus', {})).toMatchObject({ children: ['c1'] });
  });
});
