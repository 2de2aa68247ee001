import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { claudePod } from '../support/claude-pod.ts';
import { expectSound } from '../support/expect-sound.ts';
import { type Conduct, ModelServer } from '../support/model-server.ts';
import type { TempPod } from '../support/temp-pod.ts';

const says = (text: string, more: object = {}): Conduct => ({
  kind: 'answer',
  blocks: [{ text }],
  ...more,
});
const reads = (pod: TempPod, call: string): Conduct => ({
  kind: 'answer',
  blocks: [{ call, name: 'Read', input: { file_path: join(pod.workspace, 'f') } }],
});

/** Roles of the last request, with its last text. */
function lastAsked(server: ModelServer): readonly [roles: string, text: string] {
  const messages = (server.asked.at(-1)?.body.messages ?? []) as readonly {
    readonly role: string;
    readonly content: readonly { readonly text?: string }[];
  }[];
  const text = messages.at(-1)?.content.at(-1)?.text ?? '';
  return [messages.map(({ role }) => role).join(' '), text];
}

describe('Resume with Claude', () => {
  test('PROTO-20 LOOP-3: after the limit of turns it goes on where it was', async () => {
    await using server = new ModelServer();
    await using pod = await claudePod(server, ['worker.max_turns = 1']);
    pod.file('f', 'content');
    server.conduct(reads(pod, 'a'), reads(pod, 'b'), says('Read.'));
    await pod.start();
    using client = await pod.client();
    expect(await client.call('Run', { input: 'read' })).toMatchObject({ outcome: 'limit_reached' });
    expect(await client.call('Resume')).toMatchObject({ outcome: 'limit_reached', turns: 1 });
    expect(await client.call('Resume')).toMatchObject({ outcome: 'finished', text: 'Read.' });
    expect(lastAsked(server)[0]).toBe('user assistant user assistant user');
    expect(server.refused).toEqual([]);
    await expectSound(pod, client);
  });

  test('PROTO-20 LOOP-3 PROV-3: after a cancel in the middle of a text the API is asked to go on, by the user’s side', async () => {
    await using server = new ModelServer(
      { kind: 'begins', then: 'stalls' },
      says('And so on.'),
      says('Thanks.'),
    );
    await using pod = await claudePod(server);
    await pod.start();
    using client = await pod.client();
    await client.call('Subscribe');
    const report = client.ask('Run', { input: 'tell' });
    await client.event('text_delta');
    expect(await client.call('Cancel')).toMatchObject({ quiescent: true });
    expect((await report).result).toMatchObject({ outcome: 'cancelled', text: 'so far' });
    expect(await client.call('Resume')).toMatchObject({ outcome: 'finished', text: 'And so on.' });
    const [roles, text] = lastAsked(server);
    expect([roles, text]).toEqual(['user assistant user', expect.stringContaining('<system>')]);
    await client.call('Run', { input: 'thanks' });
    expect(lastAsked(server)[0]).toBe('user assistant user assistant user');
    expect(server.refused).toEqual([]);
    await expectSound(pod, client);
  });

  test('PROTO-20 PROV-4: after an error it asks once more, with the same history', async () => {
    await using server = new ModelServer(
      { kind: 'status', status: 400, type: 'invalid_request_error', message: 'no' },
      says('Now.'),
    );
    await using pod = await claudePod(server);
    await pod.start();
    using client = await pod.client();
    const { error } = await client.ask('Run', { input: 'go' });
    expect(error).toMatchObject({ data: { code: 'provider_error', status: 400 } });
    expect(await client.call('Resume')).toMatchObject({ outcome: 'finished', text: 'Now.' });
    expect(server.asked[1]?.body).toEqual(server.asked[0]?.body);
    await expectSound(pod, client);
  });

  test.each(['before the answer', 'in the answer', 'behind a call'])(
    'PROTO-20 INV-4: killed by -9 %s, the next start and Resume go on, and the API takes it',
    async (when) => {
      await using server = new ModelServer();
      await using pod = await claudePod(server);
      pod.file('f', 'content');
      const stuck: Conduct =
        when === 'before the answer' ? { kind: 'silent' } : { kind: 'begins', then: 'stalls' };
      server.conduct(...(when === 'behind a call' ? [reads(pod, 'a')] : []), stuck);
      await pod.start();
      {
        using client = await pod.client();
        await client.call('Subscribe');
        client.send('{"jsonrpc":"2.0","method":"Run","params":{"input":"go"}}\n');
        if (when === 'before the answer')
          await client.event('state', ({ data }) => data['phase'] === 'requesting');
        else await client.event('text_delta');
        await pod.kill9();
      }
      server.conduct(says('Back.'));
      await pod.start();
      using again = await pod.client();
      expect(await again.call('GetStatus')).toMatchObject({
        lastOutcome: 'interrupted',
        interrupted: true,
      });
      expect(await again.call('Resume')).toMatchObject({ outcome: 'finished', text: 'Back.' });
      expect(server.refused).toEqual([]);
      await expectSound(pod, again);
    },
  );
});

describe('an answer of Claude that ends early', () => {
  test('LOOP-6: a call that the limit of tokens cut off is not run, even if it looks whole, and the model is told', async () => {
    await using server = new ModelServer();
    await using pod = await claudePod(server);
    await pod.start();
    using client = await pod.client();
    const path = join(pod.workspace, 'new');
    const file = JSON.stringify(path);
    const pieces = [`{"file_path": ${file}, "conte`, `{"file_path": ${file}, "content": "x"}`, ''];
    for (const [n, json] of pieces.entries()) {
      const cut = { call: `c${n}`, name: 'Write', json };
      server.conduct(
        { kind: 'answer', blocks: [{ text: 'I write.' }, cut], stop: 'max_tokens' },
        says('Too long.'),
      );
      expect(await client.call('Run', { input: 'write' })).toMatchObject({ text: 'Too long.' });
      expect(existsSync(path), json).toBe(false);
      expect(server.asked.at(-1)?.body.messages?.at(-1)).toMatchObject({
        content: [
          {
            type: 'tool_result',
            tool_use_id: cut.call,
            is_error: true,
            content: expect.stringContaining('limit of tokens') as string,
          },
        ],
      });
    }
    expect(server.refused).toEqual([]);
    await expectSound(pod, client);
  });

  test('LOOP-6: the report says why a text ended', async () => {
    await using server = new ModelServer();
    await using pod = await claudePod(server);
    await pod.start();
    using client = await pod.client();
    for (const [stop, stopReason] of [
      ['max_tokens', 'max_tokens'],
      ['refusal', 'refusal'],
      ['stop_sequence', 'end'],
      ['model_context_window_exceeded', 'max_tokens'],
      ['something_new', 'end'],
    ]) {
      server.conduct(says('So', { stop }));
      const report = await client.call('Run', { input: 'go' });
      expect(report).toMatchObject({ outcome: 'finished', text: 'So', stopReason });
    }
    await expectSound(pod, client);
  });
});

describe('the settings of Claude', () => {
  test('PROV-10 PROTO-13: what the manifest asks for and the model does not take is not sent; a notice and a line of the log say so once', async () => {
    await using server = new ModelServer(says('Hello.'));
    await using pod = await claudePod(server, [
      'provider.model = "claude-opus-5-5"',
      'provider.thinking_budget = 2048',
      'provider.reasoning_effort = "xhigh"',
      'worker = { temperature = 0.5, top_p = 1, stop = ["END"], max_tokens = 4096 }',
    ]);
    await pod.start();
    using client = await pod.client();
    await client.call('Run', { input: 'go' });
    await client.call('Run', { input: 'go on' });
    const { body } = server.asked[1] ?? {};
    expect(body).toMatchObject({
      model: 'claude-opus-5-5',
      max_tokens: 4096,
      thinking: { type: 'adaptive', display: 'summarized' },
      output_config: { effort: 'xhigh' },
      stop_sequences: ['END'],
    });
    expect(server.refused).toEqual([]);
    const { notices } = (await client.call('Subscribe')) as {
      notices: { data: { message: string } }[];
    };
    const told = notices.map(({ data }) => data.message);
    expect(told).toEqual([
      expect.stringContaining('worker.temperature and worker.top_p') as string,
      expect.stringContaining('the number of provider.thinking_budget') as string,
    ]);
    await expectSound(pod, client);
    const log = readFileSync(join(pod.state, 'podd.log'), 'utf8');
    expect(log.split('not sent to the model').length - 1).toBe(2);
  });

  test('PROV-11 PROV-10: after a change of the model its reasoning stays behind, and a budget waits until the calls are done', async () => {
    await using server = new ModelServer();
    await using pod = await claudePod(server, ['worker.max_turns = 1']);
    pod.file('f', 'content');
    const thought = { thinking: 'hm', signature: 'of the first' };
    const call = { call: 'a', name: 'Read', input: { file_path: join(pod.workspace, 'f') } };
    server.conduct({ kind: 'answer', blocks: [thought, call] }, says('Read.'), says('Thought.'));
    await pod.start();
    {
      using client = await pod.client();
      await client.call('Run', { input: 'read' });
    }
    await pod.kill9();
    await pod.start(undefined, [
      '--overlay',
      'provider = { model = "claude-haiku-4-5", thinking_budget = 2048 }',
    ]);
    using again = await pod.client();
    expect(await again.call('Resume')).toMatchObject({ text: 'Read.' });
    expect(JSON.stringify(server.asked[1]?.body)).not.toContain('of the first');
    expect(server.asked[1]?.body).not.toHaveProperty('thinking');
    await again.call('Run', { input: 'think' });
    expect(server.asked[2]?.body).toHaveProperty('thinking.budget_tokens', 2048);
    expect(server.refused).toEqual([]);
    await expectSound(pod, again);
  });
});
