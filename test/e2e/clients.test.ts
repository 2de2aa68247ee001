import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { EVENTS } from '../../protocol/events.ts';
import { METHODS } from '../../protocol/methods.ts';
import { expectSound } from '../support/expect-sound.ts';
import { deadline } from '../support/slowness.ts';
import { read } from '../support/source-tree.ts';
import { storedEntries } from '../support/stored-entries.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { TempPod } from '../support/temp-pod.ts';

const run = promisify(execFile);
const SLOW = `loop = true
[[steps]]
text = "some words, slowly"
chunk_bytes = 2
delay_ms = 20
`;
const QUICK = 'loop = true\n[[steps]]\ntext = "{{input}} done"\n';

/** A block of a page, by its language. */
function block(language: string): string {
  const found = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(
    read('docs/clients.md'),
  );
  if (found?.[1] === undefined) throw new Error(`the page has no block of ${language}`);
  return found[1];
}

describe('clients without a library', () => {
  test('CLI-6 PROTO-1: one line of shell gives a Pod its input and prints what it says', async () => {
    await using pod = new TempPod({ script: QUICK });
    await pod.start();
    const env = { PATH: process.env['PATH'], SOCK: pod.socket, INPUT: 'this' };
    const { stdout } = await run('bash', ['-c', block('sh')], {
      env,
      timeout: deadline(20_000),
    });
    expect(stdout).toBe('this done\n');
    expect(block('sh').trim().split('\n')).toHaveLength(1);
    using client = await pod.client();
    await expectSound(pod, client);
  });

  test('CLI-6 PROTO-17: twenty lines of Python drive a Pod, watch it, and ask again without doing it twice', async () => {
    await using pod = new TempPod({ script: QUICK });
    await pod.start();
    await using folder = await tempFolder();
    const script = join(folder.path, 'client.py');
    const code = block('python');
    expect(code.split('\n').filter((line) => line.trim() !== '').length).toBeLessThanOrEqual(20);
    writeFileSync(script, code);
    const ask = async (): Promise<{ report: unknown; events: string[] }> => {
      const { stdout } = await run('python3', [script, pod.socket, 'this', 'id-1'], {
        timeout: deadline(20_000),
      });
      return JSON.parse(stdout) as { report: unknown; events: string[] };
    };
    const first = await ask();
    expect(first.report).toMatchObject({ outcome: 'finished', text: 'this done' });
    expect(first.events).toEqual(expect.arrayContaining(['run_start', 'text_done', 'run_end']));
    expect((await ask()).report).toEqual(first.report);
    using client = await pod.client();
    const entries = await expectSound(pod, client);
    expect(entries.filter(({ kind }) => kind === 'run_start')).toHaveLength(1);
  });

  test('CLI-6: rpc.discover answers what is shipped, and it names every method and event', async () => {
    await using pod = new TempPod({ script: QUICK });
    await pod.start();
    using client = await pod.client();
    const shipped = new URL('../../dist/protocol/schema.json', import.meta.url);
    const document = await client.call('rpc.discover');
    expect(document).toEqual(JSON.parse(readFileSync(shipped, 'utf8')));
    const methods = (document['methods'] as { name: string; errors: { message: string }[] }[]).map(
      ({ name, errors }) => [name, errors.map(({ message }) => message)],
    );
    expect(methods).toEqual(
      Object.entries(METHODS).map(([name, { errors }]) => [name, [...errors]]),
    );
    expect(Object.keys(document['x-events'] as object)).toEqual(Object.keys(EVENTS));
    await expectSound(pod, client);
  });

  test('PROTO-15: Hello says what this daemon is and can, with or without a word of the client’s own', async () => {
    await using pod = new TempPod({ script: QUICK });
    const { epoch } = await pod.start();
    using client = await pod.client();
    const hello = await client.call('Hello');
    expect(hello).toMatchObject({ protocol: 1, pod: 'p', epoch });
    expect(hello['methods']).toEqual(Object.keys(METHODS));
    expect(hello['events']).toEqual(Object.keys(EVENTS));
    expect(String(hello['build'])).toMatch(/^(?:[0-9a-f]{7,40}(?:-dirty)?|unknown)$/);
    await client.call('Hello', { protocol: 99, client: 'a later one' });
    expect((await client.ask('Hello', { protocoll: 1 })).error).toMatchObject({ code: -32602 });
    await expectSound(pod, client);
  });
});

describe('a client that asks again', () => {
  test('PROTO-17: the same inputId before and after a kill -9 is one input and one answer', async () => {
    await using pod = new TempPod({ script: SLOW });
    await pod.start();
    {
      using client = await pod.client();
      await client.call('Subscribe');
      client.send(
        '{"jsonrpc":"2.0","id":1,"method":"Run","params":{"input":"go","inputId":"once"}}\n',
      );
      await client.event('text_delta');
      await pod.kill9();
    }
    await pod.start();
    using client = await pod.client();
    using other = await pod.client();
    const asks = [client, client, other].map((one) =>
      one.call('Run', { input: 'go', inputId: 'once' }),
    );
    const answers = await Promise.all(asks);
    expect(answers[0]).toMatchObject({ outcome: 'finished', text: 'some words, slowly' });
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    // Once more, after it is over and after another death.
    await pod.kill9();
    await pod.start();
    using third = await pod.client();
    expect(await third.call('Run', { input: 'go', inputId: 'once' })).toEqual(answers[0]);
    expect((await third.ask('Run', { input: 'no', inputId: 'once' })).error).toMatchObject({
      data: { code: 'conflict', retryable: false },
    });
    const entries = await expectSound(pod, third);
    expect(entries.filter(({ kind }) => kind === 'user_input')).toHaveLength(1);
  });

  test('PROTO-17: inputs that wait are kept through a kill -9 and run in their order', async () => {
    await using pod = new TempPod({ script: SLOW });
    await pod.start();
    {
      using client = await pod.client();
      await client.call('Run', { input: 'zero', wait: 'accepted' });
      for (const input of ['one', 'two', 'three'])
        await client.call('Run', { input, inputId: input, queue: true, wait: 'accepted' });
      expect(await client.call('GetStatus')).toMatchObject({ waiting: { inputs: 3 } });
      await pod.kill9();
    }
    await pod.start();
    using client = await pod.client();
    const last = await client.call('Run', { input: 'three', inputId: 'three', queue: true });
    expect(last).toMatchObject({ outcome: 'finished' });
    const entries = await expectSound(pod, client);
    const inputs = entries.flatMap((entry) =>
      entry.kind === 'user_input' && entry.item.type === 'message' ? entry.item.content : [],
    );
    expect(inputs.map((part) => (part.type === 'text' ? part.text : ''))).toEqual([
      'zero',
      'one',
      'two',
      'three',
    ]);
  });

  test('FAM-11 PROTO-17: of 300 notes in a burst each is told once or counted as dropped, across a kill -9', async () => {
    await using pod = new TempPod({ script: SLOW });
    await pod.start();
    {
      using client = await pod.client();
      await client.call('Run', { input: 'go', wait: 'accepted' });
      const notes = Array.from({ length: 300 }, (_, n) => ({ message: `n${n}`, notifyId: `${n}` }));
      // As fast as the lane takes them; what is busy is sent again, and so is a part of the others.
      for (let from = 0; from < notes.length; from += 50) {
        const some = notes.slice(from, from + 50);
        const answers = await Promise.all(some.map((note) => client.ask('Notify', note)));
        expect(answers.every(({ error }) => error === undefined)).toBe(true);
        const again = await Promise.all(
          some.slice(0, 10).map((note) => client.ask('Notify', note)),
        );
        for (const { result } of again) expect(result).toMatchObject({ duplicate: true });
      }
      await pod.kill9();
    }
    await pod.start();
    using client = await pod.client();
    await client.call('Subscribe');
    const idle = async (): Promise<boolean> => {
      const { state, waiting } = await client.call('GetStatus');
      return state === 'idle' && (waiting as { notes: number }).notes === 0;
    };
    while (!(await idle())) await client.event('run_end');
    await expectSound(pod, client);
    const told = (await storedEntries(pod)).flatMap((entry) =>
      entry.kind === 'injected_items'
        ? entry.items.flatMap((item) => (item.type === 'message' ? item.content : []))
        : [],
    );
    const texts = told.map((part) => (part.type === 'text' ? part.text : ''));
    const names = texts.filter((text) => text.startsWith('Note: '));
    const dropped = texts.flatMap((text) => /^(\d+) earlier/.exec(text)?.[1] ?? []).map(Number);
    expect(new Set(names).size).toBe(names.length);
    expect(names.length + dropped.reduce((sum, one) => sum + one, 0)).toBe(300);
    expect(names.at(-1)).toBe('Note: n299');
  });
});
