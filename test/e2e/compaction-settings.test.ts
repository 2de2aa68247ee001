import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TEST_KEY } from '../support/claude-pod.ts';
import { endOfPodd } from '../support/podd-end.ts';
import { TempPod } from '../support/temp-pod.ts';

const SCRIPT = '[[steps]]\ntext = "hello"\n';
const NO_KEY = { PODD_API_KEY_ANTHROPIC: '', ANTHROPIC_API_KEY: '' };

test('START-2 EXIT-1 PROV-7: a compactor that can’t be asked ends the start with 69, before there is a store', async () => {
  await using pod = new TempPod({ script: SCRIPT });
  const endWith = (provider: string, env: Readonly<Record<string, string>>) =>
    endOfPodd(
      pod,
      [
        '--manifest',
        join(pod.folder, 'pod.toml'),
        '--overlay',
        `compaction.provider = { ${provider} }`,
      ],
      { env },
    );
  const claude = 'kind = "anthropic", model = "claude-haiku-4-5"';
  for (const [provider, env, says] of [
    [claude, NO_KEY, 'compaction.provider.api_key_file'],
    [`${claude}, api_key_file = "none"`, NO_KEY, 'none does not exist'],
    [
      `${claude}, thinking_budget = 4096`,
      { PODD_API_KEY_ANTHROPIC: TEST_KEY },
      'compaction.provider.thinking_budget is 4096',
    ],
    ['kind = "scripted", script = "none.toml"', NO_KEY, 'none.toml does not exist'],
  ] as const) {
    const end = endWith(provider, env);
    expect(end, provider).toMatchObject({ code: 69, out: '' });
    expect(end.says).toContain(says);
  }
  expect(existsSync(pod.state)).toBe(false);
});

test('PROV-7: the compactor’s key file is out of the agent’s reach', async () => {
  await using pod = new TempPod({
    script: `[[steps]]
tool_calls = [{ name = "Read", arguments = { file_path = "{{workspace}}/key" } }]
[[steps]]
text = "No."
`,
    args: [
      '--overlay',
      'compaction.provider = { kind = "anthropic", model = "m", api_key_file = "key" }',
    ],
    env: NO_KEY,
  });
  writeFileSync(join(pod.workspace, 'key'), TEST_KEY, { mode: 0o600 });
  await pod.start();
  using client = await pod.client();
  await client.call('Run', { input: 'look' });
  const history = JSON.stringify(await client.call('GetHistory'));
  expect(history).not.toContain(TEST_KEY);
  expect(history.match(/"isError":true/g)).toHaveLength(1);
});

test('MAN-1 PROTO-13: what the manifest hardly means, and what the compactor’s model does not take, is told by a notice and a line of the log', async () => {
  await using pod = new TempPod({
    script: SCRIPT,
    args: [
      '--overlay',
      `[compaction]
compact_threshold = 20
compact_request_threshold = 10
compact_retained_tokens = 5
[compaction.provider]
kind = "anthropic"
model = "claude-haiku-4-5"
reasoning_effort = "low"`,
    ],
    env: { PODD_API_KEY_ANTHROPIC: TEST_KEY },
  });
  await pod.start();
  using client = await pod.client();
  const { notices } = (await client.call('Subscribe')) as {
    notices: { data: { level: string; source: string; message: string } }[];
  };
  expect(notices.map(({ data }) => data)).toMatchObject([
    {
      level: 'warn',
      source: 'manifest',
      message: expect.stringContaining('compaction.compact_threshold is 20, above') as string,
    },
    {
      level: 'warn',
      source: 'manifest',
      message: expect.stringContaining('compaction.provider.reasoning_effort "low"') as string,
    },
  ]);
  pod.signal('SIGTERM');
  expect(await pod.exit()).toBe(0);
  const log = readFileSync(join(pod.state, 'podd.log'), 'utf8');
  for (const { data } of notices) expect(log).toContain(JSON.stringify(data.message));
});
