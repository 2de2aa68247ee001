import type { spawn } from 'node:child_process';
import type { Phase, StateName } from '../../protocol/state.ts';
import { LIMITS } from '../core/limits.ts';
import type { Log } from '../ports/log.ts';
import type { RunNotify } from './systemd-notify.ts';
import { SystemdNotify } from './systemd-notify.ts';

/** The service manager that started podd, if one did. */
export type ServiceNotices = AsyncDisposable & {
  readonly ready: () => void;
  readonly show: (state: { readonly state: StateName; readonly phase?: Phase | undefined }) => void;
};

type Environment = Readonly<Record<string, string | undefined>>;

/** They speak of one process: a child that took them over would speak for podd. */
export const NOTIFY_VARIABLES = ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID'] as const;

/** A timer takes no longer; and each sign of life is a process. */
const WATCHDOG_MS_MAX = 2 ** 31 - 1;
const WATCHDOG_MS_MIN = 200;

const DOING: Readonly<Record<Exclude<StateName, 'running'> | Phase, string>> = {
  starting: 'starts',
  idle: 'waits for input',
  preparing: 'prepares a run',
  requesting: 'waits for the model',
  streaming: 'reads an answer of the model',
  tools: 'runs tool calls',
  compacting: 'compacts its session',
  paused: 'waits for a decision',
  stopping: 'stops',
  stopped: 'has stopped',
};

/** Who wants to be told, and how often; null if nobody does. */
export function readNotifyTarget(
  env: Environment,
  pid: number,
): { readonly socket: string; readonly watchdogMs: number | null } | null {
  const socket = env['NOTIFY_SOCKET'];
  if (socket === undefined || socket === '') return null;
  const watchedPid = env['WATCHDOG_PID'];
  const isOurs = watchedPid === undefined || watchedPid === '' || watchedPid === String(pid);
  const microseconds = /^\d{1,15}$/.test(env['WATCHDOG_USEC'] ?? '')
    ? Number(env['WATCHDOG_USEC'])
    : 0;
  const watchdogMs = Math.min(WATCHDOG_MS_MAX, Math.max(WATCHDOG_MS_MIN, microseconds / 1_000));
  return { socket, watchdogMs: isOurs && microseconds > 0 ? watchdogMs : null };
}

export async function openServiceNotices(
  env: Environment,
  parts: { readonly pid: number; readonly log: Log },
): Promise<ServiceNotices> {
  const target = readNotifyTarget(env, parts.pid);
  if (target === null) return NOBODY;
  // Loaded only for those who need it: it is no part of a start without systemd.
  const { spawn } = await import('node:child_process');
  const notify = new SystemdNotify({
    ...parts,
    watchdogMs: target.watchdogMs,
    run: runNotify(spawn, {
      NOTIFY_SOCKET: target.socket,
      ...(env['PATH'] === undefined ? {} : { PATH: env['PATH'] }),
    }),
    monotonicMs: () => performance.now(),
    later: (ms, then) => {
      const timer = setTimeout(then, ms).unref();
      return () => {
        clearTimeout(timer);
      };
    },
  });
  return {
    ready: () => {
      notify.ready(DOING.idle);
    },
    show: ({ state, phase }) => {
      if (state === 'stopping') notify.stopping(DOING.stopping);
      else notify.status(DOING[state === 'running' ? (phase ?? 'preparing') : state]);
    },
    [Symbol.asyncDispose]: () => notify[Symbol.asyncDispose](),
  };
}

const NOBODY: ServiceNotices = {
  ready: () => undefined,
  show: () => undefined,
  [Symbol.asyncDispose]: () => Promise.resolve(),
};

/** The program itself, with nothing of our environment and a deadline. */
export function runNotify(start: typeof spawn, env: Readonly<Record<string, string>>): RunNotify {
  return async (args, signal) =>
    await new Promise((resolve) => {
      let child: ReturnType<typeof start>;
      try {
        child = start('systemd-notify', args, { env, cwd: '/', stdio: 'ignore' });
      } catch {
        // Node throws what it has no event for, such as a program that is being replaced.
        resolve('failed');
        return;
      }
      const kill = (): void => {
        child.kill('SIGKILL');
      };
      const timer = setTimeout(kill, LIMITS.notifyMs).unref();
      signal.addEventListener('abort', kill, { once: true });
      const settle = (end: 'sent' | 'missing' | 'failed'): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', kill);
        resolve(end);
      };
      // Not once: a kill that fails is an error too, and one that nobody hears ends the process.
      child.on('error', (error: NodeJS.ErrnoException) => {
        settle(error.code === 'ENOENT' ? 'missing' : 'failed');
      });
      child.once('exit', (code) => {
        settle(code === 0 ? 'sent' : 'failed');
      });
    });
}
