import { chmodSync, readdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { endOfPodd } from '../support/podd-end.ts';
import { TempPod } from '../support/temp-pod.ts';
import { until } from '../support/until.ts';

const SCRIPT = 'loop = true\n[[steps]]\ntext = "hello"\n';

describe('podd', () => {
  test('EXIT-1 START-1: 64 for a command line that is not understood, 0 for its help', async () => {
    await using pod = new TempPod({ script: SCRIPT });
    expect(endOfPodd(pod, ['--manifset', 'x'])).toMatchObject({ code: 64, out: '' });
    expect(endOfPodd(pod, ['--help'])).toMatchObject({ code: 0, says: '' });
  });

  test('EXIT-1 MAN-4: 78 for a manifest, a scope or a working directory that can’t be, in one line that says which', async () => {
    await using pod = new TempPod({ script: SCRIPT, worker: 'max_turn = 3' });
    const unknown = endOfPodd(pod);
    expect(unknown).toMatchObject({ code: 78, out: '' });
    expect(unknown.says).toContain('did you mean max_turns?');
    expect(unknown.says.trim().split('\n')).toHaveLength(1);
    await using good = new TempPod({ script: SCRIPT });
    const outside = endOfPodd(good, undefined, { cwd: '/' });
    expect(outside).toMatchObject({ code: 78 });
    expect(outside.says).toContain('outside the Pod');
    expect(readdirSync(good.folder)).not.toContain('state');
  });

  test('EXIT-1 PROV-6: 69 for a script that can’t be played', async () => {
    await using pod = new TempPod({ script: '[[steps]]\nwhen = "("\n' });
    const ended = endOfPodd(pod);
    expect(ended).toMatchObject({ code: 69 });
    expect(ended.says).toContain('steps[0].when');
  });

  test('EXIT-1 PATH-1: 73 where state can’t be made', async () => {
    await using pod = new TempPod({ script: SCRIPT });
    writeFileSync(join(pod.folder, 'state'), 'a file');
    const ended = endOfPodd(pod);
    expect(ended).toMatchObject({ code: 73 });
    expect(ended.says).toContain(join(pod.folder, 'state'));
  });

  test('EXIT-1 PROTO-16: 75 while another podd has the name; it is told, with its pid, and goes on', async () => {
    await using pod = new TempPod({ script: SCRIPT });
    await pod.start();
    const second = endOfPodd(pod);
    expect(second).toMatchObject({ code: 75 });
    expect(second.says).toContain(`Pod ${pod.name} is running already (pid ${pod.pid})`);
    using client = await pod.client();
    await expect(client.call('Run', { input: 'go' })).resolves.toMatchObject({ text: 'hello' });
    await pod.kill9();
    await pod.start();
  });

  test('EXIT-1 LOG-15: 65 for a damaged store, in one line that says so', async () => {
    await using pod = new TempPod({ script: SCRIPT });
    await pod.start();
    {
      using client = await pod.client();
      for (let n = 0; n < 3; n += 1) await client.call('Run', { input: 'go' });
    }
    pod.signal('SIGTERM');
    expect(await pod.exit()).toBe(0);
    const store = join(pod.state, 'db/level');
    unlinkSync(join(store, 'CURRENT'));
    const ended = endOfPodd(pod);
    expect(ended).toMatchObject({ code: 65 });
    expect(ended.says.trim().split('\n')).toHaveLength(1);
  });

  test('LOG-17 EXIT-1: 78 for a store of another format, naming both', async () => {
    await using pod = new TempPod({ script: SCRIPT });
    await pod.start();
    pod.signal('SIGTERM');
    await pod.exit();
    const format = join(pod.state, 'db/format');
    chmodSync(format, 0o600);
    writeFileSync(format, '2\n');
    const ended = endOfPodd(pod);
    expect(ended).toMatchObject({ code: 78 });
    expect(ended.says).toMatch(/format.*2.*1|format.*1.*2/);
  });

  test('PATH-1 START-3: the runtime folder tells facts while it lives; the log tells the story', async () => {
    await using pod = new TempPod({ script: SCRIPT });
    const ready = await pod.start();
    const runtime = join(pod.folder, 'run', pod.name);
    expect(readdirSync(runtime).sort()).toEqual(['manifest.toml', 'pid', 'sock', 'status.json']);
    expect(readFileSync(join(runtime, 'pid'), 'utf8')).toBe(`${ready.pid}\n`);
    expect(readFileSync(join(runtime, 'manifest.toml'), 'utf8')).toContain(pod.workspace);
    using client = await pod.client();
    await client.call('Run', { input: 'go' });
    await until(
      () => readFileSync(join(runtime, 'status.json'), 'utf8').includes('"state":"idle"'),
      'status.json to say idle',
    );
    pod.signal('SIGTERM');
    expect(await pod.exit()).toBe(0);
    expect(readdirSync(join(pod.folder, 'run'))).toEqual([]);
    const log = readFileSync(join(pod.state, 'podd.log'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { msg: string }).msg);
    expect(log).toEqual(['the Pod serves', 'a run began', 'a run ended', 'the Pod stops']);
  });
});
