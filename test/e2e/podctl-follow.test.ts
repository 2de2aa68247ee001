import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Podctl } from '../support/podctl.ts';
import { TempPod } from '../support/temp-pod.ts';
import { until } from '../support/until.ts';

const SCRIPT = `
loop = true
[[steps]]
text = "hello {{input}}"
`;

type Line = { readonly event: string; readonly epoch: number; readonly seq: number };

describe('podctl events', () => {
  test('CLI-2 PROTO-10: --follow goes on across kill -9 and a restart; the gap is a line, no event comes twice', async () => {
    await using pod = new TempPod({ script: SCRIPT });
    await pod.start();
    const events = new Podctl(pod, 'events', '--follow', '--after', '0:0', pod.name);
    await until(() => events.out.includes('"gap"'), 'it is connected');
    await new Podctl(pod, 'run', pod.name, 'one').ended;
    await until(() => events.out.includes('run_end'), 'the run ended');
    await pod.kill9();
    await until(() => events.err.includes('waiting for the Pod'), 'it says that the Pod is gone');
    await pod.start();
    await until(() => events.err.includes('it is back'), 'it says that the Pod is back');
    await new Podctl(pod, 'run', pod.name, 'two').ended;
    await until(() => events.out.split('run_end').length === 3, 'the second run ended');
    events.interrupt();
    expect((await events.ended).code).toBe(130);
    const lines = events.lines<Line>();
    expect(lines.filter(({ event }) => event === 'gap')).toMatchObject([
      { epoch: 1, data: { reset: true, after: { epoch: 0, seq: 0 } } },
      { epoch: 2, data: { reset: true, after: { epoch: 1 } } },
    ]);
    const places = lines
      .filter(({ event }) => event !== 'gap' && !event.endsWith('_delta'))
      .map(({ epoch, seq }) => epoch * 100_000 + seq);
    expect(places).toEqual([...new Set(places)].sort((a, b) => a - b));
    expect(places.filter((place) => place > 200_000)[0]).toBe(200_001);
  });

  test('CLI-2: without --follow it prints what the Pod keeps and ends; --after begins behind that', async () => {
    await using pod = new TempPod({ script: SCRIPT });
    await pod.start();
    expect(await new Podctl(pod, 'events', pod.name).ended).toEqual({ code: 0, out: '', err: '' });
    await new Podctl(pod, 'run', pod.name, 'one').ended;
    const all = new Podctl(pod, 'events', pod.name);
    expect((await all.ended).code).toBe(0);
    const lines = all.lines<Line>();
    expect(lines.map(({ seq }) => seq)).toEqual(lines.map((_, at) => at + 1));
    expect(lines.map(({ event }) => event)).toEqual(
      expect.arrayContaining(['run_start', 'text_done', 'history', 'run_end']),
    );
    const some = new Podctl(pod, 'events', '--after', `1:${lines.length - 2}`, pod.name);
    await some.ended;
    expect(some.lines()).toEqual(lines.slice(-2));
    const none = await new Podctl(pod, 'events', '--after', `1:${lines.length}`, pod.name).ended;
    expect(none).toEqual({ code: 0, out: '', err: '' });
  });
});

describe('podctl logs', () => {
  test('CLI-2: -f shows what comes, across a rotation and the death of the Pod', async () => {
    await using pod = new TempPod({ script: SCRIPT });
    await pod.start();
    const log = join(pod.state, 'podd.log');
    const logs = new Podctl(pod, 'logs', '-f', pod.name);
    await until(() => logs.out !== '', 'there are lines');
    await new Podctl(pod, 'run', pod.name, 'one').ended;
    await until(() => logs.out.includes('a run ended'), 'the line of the run');
    // As podd does at its cap: what was written just before is shown too.
    appendFileSync(log, `{"level":40,"time":0,"msg":"the last of the old"}\n`);
    renameSync(log, `${log}.1`);
    writeFileSync(log, `{"level":50,"time":0,"msg":"the first of the new","why":"\\u001b[2J"}\n`);
    await until(() => logs.out.includes('the first of the new'), 'the new file');
    await pod.kill9();
    appendFileSync(log, '{"level":30,"time":0,"msg":"after its death"}\n');
    await until(() => logs.out.includes('after its death'), 'lines of a dead Pod’s log');
    logs.interrupt();
    expect((await logs.ended).code).toBe(130);
    expect(logs.out).toContain(
      '1970-01-01 00:00:00.000 WARN  the last of the old\n' +
        '1970-01-01 00:00:00.000 ERROR the first of the new why="\\u001b[2J"\n',
    );
  });

  test('CLI-2: it ends with the newest lines, also those of the older file, and --json has them as they are', async () => {
    await using pod = new TempPod({ script: SCRIPT });
    await pod.start();
    await new Podctl(pod, 'stop', pod.name).ended;
    await pod.exit();
    const log = join(pod.state, 'podd.log');
    renameSync(log, `${log}.1`);
    writeFileSync(log, '{"msg":"new"}\n');
    const older = readFileSync(`${log}.1`, 'utf8').trimEnd().split('\n');
    const { code, out } = await new Podctl(pod, 'logs', '--json', '-n', '3', pod.name).ended;
    expect({ code, out }).toEqual({
      code: 0,
      out: `${[...older.slice(-2), '{"msg":"new"}'].join('\n')}\n`,
    });
    const none = await new Podctl(pod, 'logs', 'nobody').ended;
    expect(none).toMatchObject({ code: 69, out: '' });
    expect(none.err).toMatch(/there is no log at .*nobody\/podd\.log; .*--state/);
  });

  test('CLI-2: a Pod that was started with --state is found by the registry, and later by --state', async () => {
    await using pod = new TempPod({ script: SCRIPT, args: ['--state', '../elsewhere'] });
    await pod.start();
    await until(
      () => readFileSync(join(pod.folder, 'elsewhere/pods/p/podd.log'), 'utf8') !== '',
      'its log',
    );
    expect((await new Podctl(pod, 'logs', pod.name).ended).code).toBe(0);
    await new Podctl(pod, 'stop', pod.name).ended;
    expect((await new Podctl(pod, 'logs', pod.name).ended).code).toBe(69);
    const found = await new Podctl(pod, 'logs', '--state', '../elsewhere', pod.name).ended;
    expect(found.out).toContain('the Pod stops');
  });
});
