import { describe, expect, test } from 'vitest';
import type { RunNotify } from '../../../daemon/app/systemd-notify.ts';
import { SystemdNotify } from '../../../daemon/app/systemd-notify.ts';
import { readNotifyTarget } from '../../../daemon/app/service-notices.ts';
import { LIMITS } from '../../../daemon/core/limits.ts';
import type { Log } from '../../../daemon/ports/log.ts';
import { ManualTimers } from '../../support/manual-timers.ts';

type End = Awaited<ReturnType<RunNotify>>;

/** Programs that run until a test ends them. */
class Programs {
  readonly started: string[][] = [];
  readonly logged: string[] = [];
  #ends: ((end: End) => void)[] = [];

  readonly run: RunNotify = async (args, signal) => {
    this.started.push(args.slice(2));
    expect(args.slice(0, 2)).toEqual(['--no-block', '--pid=7']);
    return await new Promise<End>((resolve) => {
      this.#ends.push(resolve);
      signal.addEventListener('abort', () => {
        resolve('failed');
      });
    });
  };

  get running(): number {
    return this.#ends.length;
  }

  async end(end: End = 'sent'): Promise<void> {
    for (const resolve of this.#ends.splice(0)) resolve(end);
    await new Promise((resolve) => setImmediate(resolve));
  }

  readonly log: Log = {
    debug: (message) => this.logged.push(`debug ${message}`),
    info: (message) => this.logged.push(`info ${message}`),
    warn: (message) => this.logged.push(`warn ${message}`),
    error: (message) => this.logged.push(`error ${message}`),
    fatal: (message) => this.logged.push(`fatal ${message}`),
  };
}

function bench(watchdogMs: number | null = null): {
  readonly notify: SystemdNotify;
  readonly programs: Programs;
  readonly timers: ManualTimers;
} {
  const programs = new Programs();
  const timers = new ManualTimers();
  const { run, log } = programs;
  const notify = new SystemdNotify({
    run,
    log,
    pid: 7,
    watchdogMs,
    monotonicMs: timers.monotonicMs,
    later: timers.later,
  });
  return { notify, programs, timers };
}

describe('SystemdNotify', () => {
  test('START-3: it says that the Pod is ready, with what it does then', async () => {
    const { notify, programs } = bench();
    notify.status('starts');
    expect(programs.started).toEqual([]);
    notify.ready('waits for input');
    expect(programs.started).toEqual([['READY=1', 'STATUS=waits for input']]);
    await programs.end();
    expect(programs.started).toHaveLength(1);
  });

  test('START-3: a start that takes long tells what it waits on', () => {
    const { notify, programs, timers } = bench();
    notify.status('waits for the registry');
    timers.pass(LIMITS.notifyStatusMs);
    expect(programs.started).toEqual([['STATUS=waits for the registry']]);
  });

  test('START-3: one program at a time and one status a second; the newest status is told', async () => {
    const { notify, programs, timers } = bench();
    notify.ready('idle');
    for (const status of ['a', 'b', 'c']) notify.status(status);
    expect(programs.started).toEqual([['READY=1', 'STATUS=idle']]);
    await programs.end();
    timers.pass(LIMITS.notifyStatusMs);
    expect(programs.started.slice(1)).toEqual([['STATUS=c']]);
    await programs.end();
    for (const status of ['d', 'e']) {
      notify.status(status);
      timers.pass(1);
    }
    expect(programs.started).toHaveLength(2);
    timers.pass(LIMITS.notifyStatusMs);
    expect(programs.started.slice(2)).toEqual([['STATUS=e']]);
    await programs.end();
    timers.pass(LIMITS.notifyStatusMs);
    notify.status('e');
    timers.pass(LIMITS.notifyStatusMs);
    expect(programs.started).toHaveLength(3);
  });

  test('START-3: a sign of life goes out at half of the time that systemd waits, once the Pod is ready', async () => {
    const { notify, programs, timers } = bench(10_000);
    timers.pass(20_000);
    expect(programs.started).toEqual([]);
    notify.ready('idle');
    await programs.end();
    for (let n = 0; n < 3; n += 1) {
      timers.pass(5_000);
      await programs.end();
    }
    expect(programs.started).toEqual([
      ['READY=1', 'STATUS=idle'],
      ...Array<string[]>(3).fill(['WATCHDOG=1']),
    ]);
  });

  test('START-3: without a watchdog there is no sign of life', async () => {
    const { notify, programs, timers } = bench();
    notify.ready('idle');
    await programs.end();
    timers.pass(3_600_000);
    expect(programs.started).toHaveLength(1);
    expect(timers.pending()).toEqual([]);
  });

  test('START-3: the stop is told at once, after the program that runs, and its end waits for that', async () => {
    const { notify, programs } = bench();
    notify.ready('idle');
    notify.status('runs tool calls');
    notify.stopping('stops');
    const end = notify[Symbol.asyncDispose]();
    notify.stopping('stops');
    await programs.end();
    notify.stopping('stops');
    expect(programs.started).toEqual([
      ['READY=1', 'STATUS=idle'],
      ['STOPPING=1', 'STATUS=stops'],
    ]);
    await programs.end();
    await end;
    notify.status('late');
    expect(programs.running).toBe(0);
  });

  test('START-3 INV-6: its end waits a moment for a program that hangs, and ends that', async () => {
    const { notify, programs, timers } = bench(10_000);
    notify.ready('idle');
    notify.stopping('stops');
    const end = notify[Symbol.asyncDispose]();
    timers.pass(LIMITS.closeStepMs);
    await end;
    expect(programs.started).toEqual([['READY=1', 'STATUS=idle']]);
    expect(timers.pending()).toEqual([]);
  });

  test('START-3: where the program is missing it is said once, in the log, and not tried again', async () => {
    const { notify, programs, timers } = bench(1_000);
    notify.ready('idle');
    await programs.end('missing');
    notify.status('x');
    timers.pass(60_000);
    expect(programs.started).toHaveLength(1);
    expect(programs.logged).toEqual([expect.stringContaining('info there is no systemd-notify')]);
  });

  test('START-3: a failure is told loudly once, and the next word goes out all the same', async () => {
    const { notify, programs, timers } = bench(1_000);
    notify.ready('idle');
    await programs.end('failed');
    timers.pass(500);
    await programs.end('failed');
    timers.pass(500);
    expect(programs.started).toHaveLength(3);
    expect(programs.logged.map((line) => line.split(' ')[0])).toEqual(['warn', 'debug']);
  });

  const broken: readonly (readonly [string, RunNotify])[] = [
    [
      'throws',
      () => {
        throw new Error('no memory');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no memory'))],
  ];

  test.each(broken)(
    'START-3: a run that %s is a failure: later words go out, and its end comes',
    async (_, run) => {
      const timers = new ManualTimers();
      const { log, logged } = new Programs();
      const started: string[] = [];
      const notify = new SystemdNotify({
        run: (args, signal) => {
          started.push(args.slice(2).join(' '));
          return run(args, signal);
        },
        log,
        pid: 7,
        watchdogMs: null,
        monotonicMs: timers.monotonicMs,
        later: timers.later,
      });
      notify.ready('idle');
      await new Promise((resolve) => setImmediate(resolve));
      expect(logged).toEqual(['warn systemd was not told']);
      notify.stopping('stops');
      await notify[Symbol.asyncDispose]();
      expect(started).toEqual(['READY=1 STATUS=idle', 'STOPPING=1 STATUS=stops']);
      expect(logged).toEqual(['warn systemd was not told', 'debug systemd was not told']);
    },
  );
});

describe('readNotifyTarget', () => {
  const NOTIFY_SOCKET = '/run/notify';

  test('START-3: without a socket nobody is told', () => {
    expect(readNotifyTarget({}, 7)).toBeNull();
    expect(readNotifyTarget({ NOTIFY_SOCKET: '' }, 7)).toBeNull();
    expect(readNotifyTarget({ NOTIFY_SOCKET }, 7)).toEqual({
      socket: NOTIFY_SOCKET,
      watchdogMs: null,
    });
  });

  test.each([
    [{ WATCHDOG_USEC: '3000000' }, 3_000],
    // Longer than a timer takes, and shorter than a process is worth.
    [{ WATCHDOG_USEC: '5184000000000' }, 2 ** 31 - 1],
    [{ WATCHDOG_USEC: '1' }, 200],
    [{ WATCHDOG_USEC: '3000000', WATCHDOG_PID: '7' }, 3_000],
    [{ WATCHDOG_USEC: '3000000', WATCHDOG_PID: '8' }, null],
    [{ WATCHDOG_USEC: '0' }, null],
    [{ WATCHDOG_USEC: 'soon' }, null],
  ])('START-3: %j is a watchdog of %j ms for pid 7', (env, watchdogMs) => {
    expect(readNotifyTarget({ NOTIFY_SOCKET, ...env }, 7)).toMatchObject({ watchdogMs });
  });
});
