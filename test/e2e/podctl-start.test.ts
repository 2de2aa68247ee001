import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type StartedPod, startPod, type StartOptions } from '../../client/start-pod.ts';
import { Podctl } from '../support/podctl.ts';
import { deadline } from '../support/slowness.ts';
import { PODD, TempPod } from '../support/temp-pod.ts';
import { until } from '../support/until.ts';

const SCRIPT = 'loop = true\n[[steps]]\ntext = "hello"\n';

/** What was started is nobody's child; it is gone when this goes out of scope. */
function killLater({ pid }: { readonly pid: number }): Disposable {
  return {
    [Symbol.dispose]: () => {
      if (existsSync(`/proc/${pid}`)) process.kill(pid, 'SIGKILL');
    },
  };
}

function optionsOf(pod: TempPod): StartOptions {
  return {
    manifest: join(pod.folder, 'pod.toml'),
    cwd: pod.workspace,
    env: pod.env(),
    podd: [process.execPath, PODD],
  };
}

describe('podctl start', () => {
  test('CLI-2: the Pod serves when it ends, in a session of its own and with nothing of this stdio', async () => {
    await using pod = new TempPod({ script: SCRIPT });
    const started = await new Podctl(pod, 'start', '--json', '../pod.toml').ended;
    expect(started).toMatchObject({ code: 0, err: '' });
    const ready = JSON.parse(started.out) as StartedPod;
    using _killed = killLater(ready);
    expect(ready).toMatchObject({ pod: 'p', socket: pod.socket, epoch: 1 });
    const session = readFileSync(`/proc/${ready.pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[3];
    expect(session).toBe(String(ready.pid));
    expect([0, 1].map((fd) => readlinkSync(`/proc/${ready.pid}/fd/${fd}`))).toEqual([
      '/dev/null',
      '/dev/null',
    ]);
    expect(await new Podctl(pod, 'run', 'p', 'go').ended).toMatchObject({
      code: 0,
      out: 'hello\n',
    });
    expect(await new Podctl(pod, 'stop', 'p').ended).toMatchObject({ code: 0 });
    await until(() => !existsSync(`/proc/${ready.pid}`), 'it is gone');
  });

  test('CLI-2: podd’s own flags come behind --; a log on a stderr that nobody reads holds it up by nothing', async () => {
    await using pod = new TempPod({ script: SCRIPT });
    const started = await new Podctl(pod, 'start', '../pod.toml', '--', '--log-stderr').ended;
    expect(started).toMatchObject({ code: 0, err: '' });
    const [, pid = ''] = /^Pod p started: pid (\d+), socket \S+\n$/.exec(started.out) ?? [];
    using _killed = killLater({ pid: Number(pid) });
    for (let run = 0; run < 3; run += 1)
      expect(await new Podctl(pod, 'run', 'p', 'go').ended).toMatchObject({ code: 0 });
    expect(readFileSync(join(pod.state, 'podd.log'), 'utf8')).toContain('a run ended');
  });

  test('CLI-3: a start that fails says podd’s own line and has its exit code', async () => {
    await using pod = new TempPod({ script: SCRIPT });
    await pod.start();
    const taken = await new Podctl(pod, 'start', '../pod.toml').ended;
    expect(taken).toMatchObject({ code: 75, out: '' });
    expect(taken.err).toMatch(/^podctl: Pod p is running already \(pid \d+\): stop it with/);
    writeFileSync(join(pod.folder, 'bad.toml'), '[pod]\nnmae = "x"\n');
    const bad = await new Podctl(pod, 'start', '../bad.toml').ended;
    expect(bad).toMatchObject({ code: 78, out: '' });
    expect(bad.err).toMatch(/nmae/);
    const usage = await new Podctl(pod, 'start', '../pod.toml', '--', '--check').ended;
    expect(usage).toMatchObject({ code: 64, out: '' });
  });
});

describe('startPod', () => {
  test('CLI-1: it answers what the ready line says, and the Pod goes on', async () => {
    await using pod = new TempPod({ script: SCRIPT });
    const started = await startPod(optionsOf(pod));
    using _killed = killLater(started);
    expect(started).toEqual({
      pod: 'p',
      pid: started.pid,
      socket: pod.socket,
      sessionId: expect.any(String) as string,
      epoch: 1,
    });
    using client = await pod.client();
    expect(await client.call('GetStatus')).toMatchObject({ pid: started.pid, state: 'idle' });
  });

  test('CLI-1: a failed start is a PodError with podd’s line, exit code and stderr', async () => {
    await using pod = new TempPod({ script: 'steps = 5' });
    await expect(startPod(optionsOf(pod))).rejects.toMatchObject({
      name: 'PodError',
      code: 'start_failed',
      message: expect.stringMatching(/script/) as string,
      data: {
        exitCode: 69,
        signal: null,
        stderr: expect.stringMatching(/^podd: .*\n$/s) as string,
      },
    });
    const podd: [string] = [join(pod.folder, 'no-such-program')];
    await expect(startPod({ ...optionsOf(pod), podd })).rejects.toMatchObject({
      code: 'start_failed',
      message: expect.stringMatching(/can't be started.*ENOENT/) as string,
    });
  });

  test.each([['its deadline'], ['its signal']])(
    'CLI-1 INV-6: a start that hangs ends by %s, and leaves no process',
    async (by) => {
      await using pod = new TempPod({ script: SCRIPT });
      const controller = new AbortController();
      const reason = new Error('enough');
      // It says its pid, and is deaf to SIGTERM.
      const hangs = `echo $$ > pid; trap '' TERM; exec sleep 1000`;
      const pidFile = join(pod.workspace, 'pid');
      const starting = startPod({
        ...optionsOf(pod),
        podd: ['sh', '-c', hangs],
        ...(by === 'its deadline' ? { deadlineMs: 300 } : { signal: controller.signal }),
      });
      const failed =
        by === 'its deadline'
          ? expect(starting).rejects.toMatchObject({
              code: 'start_failed',
              message: 'podd was not ready in 300 ms',
            })
          : expect(starting).rejects.toBe(reason);
      await until(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8') !== '', 'it runs');
      controller.abort(reason);
      await failed;
      const pid = readFileSync(pidFile, 'utf8').trim();
      expect(existsSync(`/proc/${pid}`)).toBe(false);
    },
    deadline(15_000),
  );

  test('CLI-1: what was started outlives who started it, be it killed', async () => {
    await using pod = new TempPod({ script: SCRIPT });
    const code = `
      import { startPod } from '${new URL('../../dist/client.js', import.meta.url).href}';
      const { pid } = await startPod({ manifest: '../pod.toml' });
      process.stdout.write(String(pid));
      process.kill(process.pid, 'SIGKILL');`;
    const main = join(pod.folder, 'main.mjs');
    writeFileSync(main, code);
    let out = '';
    try {
      execFileSync(process.execPath, [main], {
        cwd: pod.workspace,
        env: pod.env(),
        encoding: 'utf8',
        timeout: deadline(10_000),
      });
    } catch (error) {
      out = (error as { stdout: string }).stdout;
    }
    using _killed = killLater({ pid: Number(out) });
    expect(await new Podctl(pod, 'run', 'p', 'go').ended).toMatchObject({ code: 0 });
  });
});
