import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { claudeAtUrl, claudePod, TEST_KEY } from '../support/claude-pod.ts';
import { ModelServer } from '../support/model-server.ts';
import { endOfPodd } from '../support/podd-end.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { PODD, TempPod } from '../support/temp-pod.ts';

test('PROV-1 PROV-7 PROV-8: Claude, by its wire, reads a file and answers; its key is nowhere but in the request', async () => {
  await using server = new ModelServer(
    { kind: 'answer', blocks: [{ call: 'c1', name: 'Read', input: { file_path: 'FILE' } }] },
    { kind: 'answer', blocks: [{ text: 'It says so.' }] },
  );
  await using pod = await claudePod(server);
  writeFileSync(join(pod.workspace, 'note.txt'), 'so');
  await pod.start();
  using client = await pod.client();
  expect(await client.call('Run', { input: 'look' })).toMatchObject({
    outcome: 'finished',
    text: 'It says so.',
    turns: 2,
    usage: { inputTotal: 20, output: 14 },
  });
  expect(await client.call('GetStatus')).toMatchObject({ provider: { kind: 'anthropic' } });
  const [, second] = server.asked;
  expect(second?.headers['x-api-key']).toBe(TEST_KEY);
  expect(JSON.stringify(second?.body)).toContain('"tool_use_id":"c1"');
  pod.signal('SIGTERM');
  expect(await pod.exit()).toBe(0);
  expect(readFileSync(join(pod.state, 'podd.log'), 'utf8')).not.toContain(TEST_KEY);
});

test('PROV-4 PROV-9 INV-3: a server that fails in every way is asked again, and the one whole answer is kept', async () => {
  await using server = new ModelServer(
    {
      kind: 'status',
      status: 429,
      type: 'rate_limit_error',
      message: 'x',
      headers: { 'retry-after': '0' },
    },
    { kind: 'begins', then: 'errs' },
    { kind: 'begins', then: 'resets' },
    { kind: 'begins', then: 'ends' },
    { kind: 'answer', blocks: [{ text: 'At last.' }] },
  );
  await using pod = await claudePod(server);
  await pod.start();
  using client = await pod.client();
  await client.call('Subscribe');
  expect(await client.call('Run', { input: 'look' })).toMatchObject({ text: 'At last.', turns: 1 });
  await client.event('run_end');
  const retries = client.events.filter(({ event }) => event === 'retry');
  const reasons = retries.map(({ data }) => data['reason']);
  expect(reasons).toEqual(['status 429', 'status 529', 'connection', 'no_terminal_event']);
  expect(await client.call('GetHistory')).toMatchObject({
    items: [{ role: 'user' }, { content: [{ text: 'At last.' }] }],
  });
});

test('PROV-4 PROV-7: what can not pass fails at once, with the provider’s own words, without the key that they quote', async () => {
  await using server = new ModelServer({
    kind: 'status',
    status: 401,
    type: 'authentication_error',
    message: `invalid x-api-key: ${TEST_KEY}`,
  });
  await using pod = await claudePod(server);
  await pod.start();
  using client = await pod.client();
  const { error } = await client.ask('Run', { input: 'look' });
  expect(error).toMatchObject({
    message: 'claude-test answers with 401: invalid x-api-key: ***',
    data: { code: 'provider_error', status: 401, retryable: false },
  });
  expect(server.asked).toHaveLength(1);
  pod.signal('SIGTERM');
  expect(await pod.exit()).toBe(0);
  const log = readFileSync(join(pod.state, 'podd.log'), 'utf8');
  expect(log).toContain('a run failed');
  expect(log).not.toContain(TEST_KEY);
});

test('PROV-7: the key file is out of the agent’s reach, wherever it lies', async () => {
  await using server = new ModelServer();
  const url = await server.listen();
  await using pod = new TempPod({
    script: 'steps = []',
    args: ['--overlay', claudeAtUrl(url), '--overlay', 'provider.api_key_file = "key"'],
    env: { PODD_API_KEY_ANTHROPIC: '', ANTHROPIC_API_KEY: '' },
  });
  const key = join(pod.workspace, 'key');
  writeFileSync(key, TEST_KEY, { mode: 0o600 });
  symlinkSync('key', join(pod.workspace, 'alias'));
  const reads = ['key', 'alias'].map((name, n) => ({
    call: `c${n}`,
    name: 'Read',
    input: { file_path: join(pod.workspace, name) },
  }));
  server.conduct({ kind: 'answer', blocks: reads }, { kind: 'answer', blocks: [{ text: 'No.' }] });
  await pod.start();
  using client = await pod.client();
  await client.call('Run', { input: 'look' });
  expect(server.asked[0]?.headers['x-api-key']).toBe(TEST_KEY);
  const history = JSON.stringify(await client.call('GetHistory'));
  expect(history).not.toContain(TEST_KEY);
  expect(history.match(/"isError":true/g)).toHaveLength(2);
});

test('PROV-7 EXIT-1: without a key the start ends with 69 and names the places', async () => {
  await using pod = new TempPod({ script: 'steps = []' });
  const args = [
    '--manifest',
    join(pod.folder, 'pod.toml'),
    '--overlay',
    claudeAtUrl('http://[::1]:1'),
  ];
  const none = { PODD_API_KEY_ANTHROPIC: undefined, ANTHROPIC_API_KEY: undefined };
  const { code, says } = endOfPodd(pod, args, { env: none });
  expect(code).toBe(69);
  expect(says).toContain('set PODD_API_KEY_ANTHROPIC');
});

test('PROV-1: a Pod whose files were replaced under it says so when it needs them, and goes on serving', async () => {
  await using server = new ModelServer();
  await using folder = await tempFolder();
  const dist = join(folder.path, 'dist');
  for (const part of ['dist', 'manifests'])
    cpSync(join(dirname(PODD), '..', part), join(folder.path, part), { recursive: true });
  await using pod = await claudePod(server, [], { podd: join(dist, 'podd.js') });
  await pod.start();
  for (const name of readdirSync(dist))
    if (
      name.endsWith('.js') &&
      readFileSync(join(dist, name), 'utf8').includes('EnvHttpProxyAgent')
    )
      rmSync(join(dist, name));
  using client = await pod.client();
  const { error } = await client.ask('Run', { input: 'go' });
  expect(error?.data).toMatchObject({ code: 'provider_error', reason: 'not_loaded' });
  expect(error?.message).toContain('restart this Pod');
  expect(await client.call('GetStatus')).toMatchObject({ state: 'idle', lastOutcome: 'error' });
});

test('INV-5: half a character from a client, a note, a template or the model leaves as U+FFFD, and the log keeps what was said', async () => {
  await using server = new ModelServer(
    { kind: 'answer', blocks: [{ call: 'c1', name: 'Read', input: { file_path: '/x\uD83D' } }] },
    { kind: 'answer', blocks: [{ text: 'No\uDE00.' }] },
    { kind: 'answer', blocks: [{ text: 'Good.' }] },
  );
  await using pod = await claudePod(server, ['worker.instruction = "$workspace/half"']);
  mkdirSync(join(pod.workspace, '.podd', 'prompts'), { recursive: true });
  pod.file('.podd/prompts/half.md', 'Half: {{ "a😀" | truncate(2, true, "") }}');
  await pod.start();
  using client = await pod.client();
  await client.call('Subscribe');
  await client.call('Notify', { message: 'noted \uD83D' });
  await client.event('run_end');
  expect(await client.call('Run', { input: 'half \uD83D' })).toMatchObject({ text: 'Good.' });
  expect(server.refused).toEqual([]);
  const sent = JSON.stringify(server.asked.at(-1)?.body);
  for (const text of ['Half: a\uFFFD', 'noted \uFFFD', 'half \uFFFD', '/x\uFFFD', 'No\uFFFD'])
    expect(sent).toContain(text);
  expect(JSON.stringify(await client.call('GetHistory'))).toContain('half \\ud83d');
});
