import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Status } from '../../protocol/status.ts';
import { Podctl } from '../support/podctl.ts';
import { deadline } from '../support/slowness.ts';
import { TempPod } from '../support/temp-pod.ts';
import { until } from '../support/until.ts';

/** What is said slowly is always cut short; what pauses lasts until several programs have started meanwhile. */
const SCRIPT = `
loop = true
[[steps]]
when = "once more"
text = "${'word '.repeat(400)}"
chunk_bytes = 5
delay_ms = 10
[[steps]]
when = "slowly"
text = "${'word '.repeat(4_000)}"
chunk_bytes = 5
delay_ms = ${deadline(10)}
[[steps]]
when = "write"
text = "I write."
tool_calls = [{ name = "Write", arguments = { file_path = "{{workspace}}/a.txt", content = "{{input}}" } }]
[[steps]]
when = "pausing"
text = "${'and then '.repeat(100)}"
chunk_bytes = 9
delay_ms = ${deadline(5)}
tool_calls = [{ name = "Write", arguments = { file_path = "{{workspace}}/a.txt", content = "x" } }]
[[steps]]
text = "I heard."
`;

async function started(): Promise<TempPod> {
  const pod = new TempPod({ script: SCRIPT });
  await pod.start();
  return pod;
}

async function statusOf(pod: TempPod): Promise<Status> {
  return JSON.parse((await new Podctl(pod, 'status', '--json', pod.name).ended).out) as Status;
}

describe('podctl chat', () => {
  test('CLI-2: through a pipe each line waits for the run before it; the text is on stdout, the tools on stderr', async () => {
    await using pod = await started();
    const chat = await new Podctl(pod, 'chat', pod.name).type('write this\n\nhello\n').ended;
    expect(chat).toEqual({
      code: 0,
      out: 'I write.\nI heard.\nI heard.\n',
      err: expect.stringMatching(/^→ Write .*a\.txt\n {2}Created .*\n$/) as string,
    });
    expect(readFileSync(join(pod.workspace, 'a.txt'), 'utf8')).toBe('write this');
  });

  test('CLI-2: /quit leaves, /status shows the Pod, an unknown command is no input', async () => {
    await using pod = await started();
    const lines = '/status\n/nonsense\n/quit\nnever said\n';
    const { code, out, err } = await new Podctl(pod, 'chat', pod.name).type(lines).ended;
    expect({ code, out }).toEqual({ code: 0, out: '' });
    expect(err).toMatch(/state +idle/);
    expect(err).toMatch(/\/nonsense is no command/);
    expect((await statusOf(pod)).items).toBe(0);
  });

  test('CLI-2 EXIT-1: Ctrl-C cancels the run and the chat goes on; Ctrl-C with no run leaves', async () => {
    await using pod = await started();
    const chat = new Podctl(pod, 'chat', pod.name);
    chat.write('slowly\n');
    await until(() => chat.out.includes('word'), 'the text begins');
    chat.interrupt();
    await until(() => chat.err.includes('the run was cancelled'), 'the run is cancelled');
    chat.write('hello\n');
    await until(() => chat.out.includes('I heard.'), 'the next answer');
    chat.type('');
    expect((await chat.ended).code).toBe(0);

    const idle = new Podctl(pod, 'chat', pod.name);
    idle.write('/status\n');
    await until(() => /state +idle/.test(idle.err), 'it is connected');
    idle.interrupt();
    expect((await idle.ended).code).toBe(130);
  });

  test('CLI-2 PROTO-17: it outlasts kill -9 and a restart: the line is asked for again under its id, and is one run', async () => {
    await using pod = await started();
    const chat = new Podctl(pod, 'chat', pod.name);
    chat.write('once more\n');
    await until(() => chat.out.includes('word'), 'the text begins');
    await pod.kill9();
    await until(() => chat.err.includes('is gone; waiting'), 'it says that the Pod is gone');
    await pod.start();
    await until(() => chat.err.includes('was started again'), 'it says that the Pod is back');
    chat.type('hello\n');
    const { code, out } = await chat.ended;
    expect(code).toBe(0);
    expect(out).toContain('I heard.');
    const history = await new Podctl(pod, 'history', '--json', pod.name).ended;
    const inputs = history.out.split('\n').filter((line) => line.includes('"text":"once more"'));
    expect(inputs).toHaveLength(1);
  });
});

describe('podctl run, resume, pause, cancel, notify', () => {
  test('CLI-2 PROTO-17: the same --id is the same run; with another text it is refused', async () => {
    await using pod = await started();
    const run = ['run', '--id', 'once', pod.name];
    const first = await new Podctl(pod, ...run, 'write', 'this').ended;
    expect(first).toMatchObject({ code: 0, out: 'I write.\nI heard.\n' });
    const again = await new Podctl(pod, ...run, 'write', 'this').ended;
    expect(again).toEqual({ code: 0, out: 'I heard.\n', err: '' });
    expect((await statusOf(pod)).turnCount).toBe(2);
    const other = await new Podctl(pod, ...run, 'something else').ended;
    expect(other).toMatchObject({ code: 1, out: '' });
    expect(other.err).toMatch(/\(conflict\)/);
  });

  test('CLI-2 PROTO-17: --queue waits behind the open run; Ctrl-C meanwhile leaves that one alone', async () => {
    await using pod = await started();
    const slow = new Podctl(pod, 'run', pod.name, 'slowly');
    await until(() => slow.out.includes('word'), 'the first run is open');
    const refused = await new Podctl(pod, 'run', pod.name, 'hello').ended;
    expect(refused.err).toMatch(/\(already_running\)/);
    const queued = new Podctl(pod, 'run', '--queue', pod.name, 'hello');
    const left = new Podctl(pod, 'run', '--queue', pod.name, 'left alone');
    for (let waits = 0; waits < 2; ) waits = (await statusOf(pod)).waiting.inputs;
    left.interrupt();
    const { code, err } = await left.ended;
    expect(code).toBe(130);
    expect(err).toMatch(/waits in the Pod \(podctl cancel --clear-queue\)/);
    expect((await statusOf(pod)).run).toBeDefined();
    await new Podctl(pod, 'cancel', pod.name).ended;
    expect((await slow.ended).code).toBe(4);
    expect(await queued.ended).toMatchObject({ code: 0, out: 'I heard.\n' });
  });

  test('CLI-2: cancel --clear-queue ends the run and those that wait', async () => {
    await using pod = await started();
    const slow = new Podctl(pod, 'run', pod.name, 'slowly');
    await until(() => slow.out.includes('word'), 'the first run is open');
    const queued = new Podctl(pod, 'run', '--queue', pod.name, 'hello');
    for (let waits = 0; waits < 1; ) waits = (await statusOf(pod)).waiting.inputs;
    const cancelled = await new Podctl(pod, 'cancel', '--clear-queue', pod.name).ended;
    expect(cancelled).toMatchObject({ code: 0, err: '' });
    expect(cancelled.out).toMatch(/^Pod p: run \S+ is cancelled\n$/);
    expect((await slow.ended).code).toBe(4);
    expect([1, 4]).toContain((await queued.ended).code);
    expect((await statusOf(pod)).waiting.inputs).toBe(0);
  });

  test('CLI-2 EXIT-1: pause ends the run with 2 at its next safe point, resume goes on with it', async () => {
    await using pod = await started();
    const run = new Podctl(pod, 'run', pod.name, 'pausing');
    await until(() => run.out.includes('and then'), 'the run is open');
    const paused = await new Podctl(pod, 'pause', pod.name).ended;
    expect(paused).toMatchObject({ code: 0, err: '' });
    const { code, err } = await run.ended;
    expect(code).toBe(2);
    expect(err).toMatch(/the run is paused \(podctl resume goes on\)\n$/);
    const resumed = await new Podctl(pod, 'resume', pod.name).ended;
    expect(resumed).toMatchObject({ code: 0, out: 'I heard.\n' });
    const nothing = await new Podctl(pod, 'resume', pod.name).ended;
    expect(nothing).toMatchObject({ code: 1, out: '' });
    expect(nothing.err).toMatch(/\(nothing_to_resume\)/);
  });

  test('CLI-2 PROTO-17: notify begins a run of an idle Pod; the same --id is told once', async () => {
    await using pod = await started();
    const notify = ['notify', '--from', 'ci', '--id', 'b1', pod.name, 'the build is red'];
    expect(await new Podctl(pod, ...notify).ended).toEqual({
      code: 0,
      out: 'Pod p begins a run by it\n',
      err: '',
    });
    const again = await new Podctl(pod, ...notify, '--json').ended;
    expect(JSON.parse(again.out)).toEqual({ queued: false, started: false, duplicate: true });
    await new Podctl(pod, 'stop', pod.name).ended;
    await pod.exit();
    await pod.start();
    const { out } = await new Podctl(pod, 'history', pod.name).ended;
    expect(out.match(/the build is red/g)).toHaveLength(1);
    expect(out).toMatch(/ci.*\n.*I heard\.\n$/s);
  });
});
