import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LIMITS } from '../../daemon/core/limits.ts';
import { deadline } from '../support/slowness.ts';
import type { TempPodOptions } from '../support/temp-pod.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { TempPod } from '../support/temp-pod.ts';
import { until } from '../support/until.ts';
import type { WireClient } from '../support/wire-client.ts';

const OPTIONS: TempPodOptions = {
  script: 'loop = true\n[[steps]]\ntext = "hello"\n',
  args: ['--log-stderr', '--log-level', 'debug'],
};
/** Each is a line of some 200 bytes in the log. */
const REQUESTS = 8_000;
const FLOOD = `${JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'x'.repeat(100) })}\n`;

type LogLine = { readonly level: number; readonly msg: string };

/** A pipe as a shell gives one, with the end that podd writes to. */
function openPipe(folder: string): { readonly reader: number; readonly writer: number } {
  const path = join(folder, 'stderr');
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { reader, writer: openSync(path, constants.O_WRONLY) };
}

/** All that a pipe holds at this moment. */
function drain(reader: number): string {
  const buffer = Buffer.alloc(1024 * 1024);
  let text = '';
  for (;;) {
    let taken = 0;
    try {
      taken = readSync(reader, buffer);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
    if (taken === 0) return text;
    text += buffer.toString('utf8', 0, taken);
  }
}

function parseLines(text: string): LogLine[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as LogLine);
}

/** How many lines a text tells, with those that it says are missing. */
function countTold(text: string): { readonly dropped: number; readonly all: number } {
  const lines = parseLines(text);
  const counts = lines.flatMap(({ msg }) => /^(\d+) lines were dropped/.exec(msg)?.[1] ?? []);
  const dropped = counts.reduce((sum, count) => sum + Number(count), 0);
  return { dropped, all: lines.length - counts.length + dropped };
}

/** A reader that comes at last gets whole lines, and how many are missing; none is missing in the file. */
async function expectAllTold(pod: TempPod, read: () => string): Promise<void> {
  const kept = parseLines(readFileSync(join(pod.state, 'podd.log'), 'utf8'));
  expect(kept.filter(({ msg }) => msg === 'a request came').length).toBeGreaterThan(REQUESTS);
  await until(
    () => {
      const text = read();
      return text.endsWith('\n') && countTold(text).all === kept.length;
    },
    'the rest of stderr',
    5 * LIMITS.stderrRetryMaxMs,
  );
  expect(countTold(read()).dropped).toBeGreaterThan(0);
}

/** Makes podd log more than stderr and its queue hold, and asks for the status meanwhile and after that. */
async function flood(pod: TempPod): Promise<void> {
  using rude = await pod.client();
  using asker = await pod.client();
  const took: number[] = [];
  const ask = async (): Promise<void> => {
    const begun = performance.now();
    // It takes milliseconds, or for ever.
    await asker.call('GetStatus', {}, 5_000);
    took.push(performance.now() - begun);
  };
  for (let n = 0; n < REQUESTS; n += 1) rude.send(FLOOD);
  while (rude.answers.length < REQUESTS) await ask();
  for (let n = 0; n < 20; n += 1) await ask();
  took.sort((a, b) => a - b);
  // A daemon that waits for its stderr answers none at all; the median leaves the machine its hiccups.
  expect(took[Math.floor(took.length / 2)]).toBeLessThan(deadline(100));
}

async function stop(pod: TempPod): Promise<void> {
  const begun = performance.now();
  pod.signal('SIGTERM');
  expect(await pod.exit()).toBe(0);
  expect(performance.now() - begun).toBeLessThan(deadline(5_000));
}

describe('a log that nobody reads', () => {
  test('START-3: with a stderr pipe that nobody reads and a flood of log lines, GetStatus answers within 100 ms × slowness', async () => {
    await using folder = await tempFolder();
    const { reader, writer } = openPipe(folder.path);
    await using pod = new TempPod({ ...OPTIONS, stderr: writer });
    await pod.start();
    closeSync(writer);
    await flood(pod);
    // What the pipe held, and then what waited in the Pod.
    let told = '';
    await expectAllTold(pod, () => (told += drain(reader)));
    closeSync(reader);
  });

  test('START-3: a socket for stderr, as systemd and Node give one, is no different', async () => {
    await using pod = new TempPod({ ...OPTIONS, stderr: 'unread' });
    await pod.start();
    await flood(pod);
    expect(pod.stderr).toBe('');
    pod.readStderr();
    await expectAllTold(pod, () => pod.stderr);
  });

  test('START-4: a stderr that nobody reads keeps no stop waiting', async () => {
    await using pod = new TempPod({ ...OPTIONS, stderr: 'unread' });
    await pod.start();
    await flood(pod);
    await stop(pod);
  });

  test('START-3: a reader of stderr that goes away is no reason to stop', async () => {
    await using folder = await tempFolder();
    const { reader, writer } = openPipe(folder.path);
    await using pod = new TempPod({ ...OPTIONS, stderr: writer });
    await pod.start();
    closeSync(writer);
    closeSync(reader);
    await flood(pod);
    await stop(pod);
  });
});

describe('stderr', () => {
  test('START-3: it gets no line of the log unless it is asked for or a terminal', async () => {
    await using pod = new TempPod({ script: OPTIONS.script });
    await pod.start();
    await stop(pod);
    expect(pod.stderr).toBe('');
  });

  test('START-3: a start that fails says so, and ends, also on a pipe that is full', async () => {
    await using folder = await tempFolder();
    const { reader, writer } = openPipe(folder.path);
    execFileSync('sh', ['-c', 'head -c 65536 /dev/zero >&2'], {
      stdio: ['ignore', 'ignore', writer],
    });
    await using pod = new TempPod({ ...OPTIONS, worker: 'max_turn = 3', stderr: writer });
    await expect(pod.start()).rejects.toThrow('podd ended (78)');
    drain(reader);
    await expect(pod.start()).rejects.toThrow('podd ended (78)');
    expect(drain(reader)).toMatch(/^podd: .*did you mean max_turns\?.*\n$/);
    closeSync(reader);
    closeSync(writer);
  });
});

/** podd on a terminal of its own: what it shows there is in `screen`, the ready line goes where it always goes. */
const TERMINAL = [
  'sh',
  '-c',
  'exec 3>&1 >/dev/null; exec script -qefc "exec $* >&3" "$HOME/screen"',
  'sh',
];
const screen = (pod: TempPod): string => readFileSync(join(pod.folder, 'screen'), 'utf8');

/** Who holds the other end of the terminal. */
function terminalOf({ pid }: TempPod): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1);
  return Number(stat?.split(' ')[1]);
}

async function statusOf(pod: TempPod): Promise<unknown> {
  using client: WireClient = await pod.client();
  return (await client.call('GetStatus'))['state'];
}

describe('a terminal', () => {
  test('START-3: it shows the log in lines for people, in colour', async () => {
    await using pod = new TempPod({ script: OPTIONS.script, under: TERMINAL });
    await pod.start();
    await until(() => screen(pod).includes('the Pod serves'), 'the first line');
    expect(screen(pod)).toMatch(
      /\d\d:\d\d:\d\d\.\d{3} \u001b\[32mINFO \u001b\[0m the Pod serves version="/,
    );
    expect(screen(pod)).not.toContain('{"level"');
  });

  test('START-3: it shows no colours where they are not wanted', async () => {
    const env = { NO_COLOR: '1' };
    await using pod = new TempPod({ script: OPTIONS.script, under: TERMINAL, env });
    await pod.start();
    await until(() => screen(pod).includes('the Pod serves'), 'the first line');
    expect(screen(pod)).toMatch(/ INFO {2}the Pod serves /);
  });

  test('START-3 START-4: stopped, it keeps neither a request nor a stop waiting', async () => {
    await using pod = new TempPod({ ...OPTIONS, under: TERMINAL });
    await pod.start();
    const terminal = terminalOf(pod);
    process.kill(terminal, 'SIGSTOP');
    await flood(pod);
    expect(await statusOf(pod)).toBe('idle');
    pod.signal('SIGTERM');
    await until(
      () => readFileSync(`/proc/${pod.pid}/stat`, 'utf8').includes(') Z '),
      'the end of podd',
      5_000,
    );
    process.kill(terminal, 'SIGCONT');
    expect(await pod.exit()).toBe(0);
    expect(screen(pod)).toContain('a request came');
  });
});
