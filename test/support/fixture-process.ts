import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A child that runs a bundled fixture; killed, if it still lives, when it goes out of scope. */
export type FixtureProcess = AsyncDisposable & {
  readonly pid: number;
  /** Lines of stdout so far. Whole ones only. */
  readonly lines: () => readonly string[];
  /** Resolves with the lines when there are `count`; rejects if the child ends before. */
  readonly waitForLines: (count: number) => Promise<readonly string[]>;
  /** Sends SIGKILL and waits until the process is gone and its output read. */
  readonly kill: () => Promise<readonly string[]>;
};

export function startFixture(path: string, args: readonly string[]): FixtureProcess {
  const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  let text = '';
  let ended = false;
  let check = (): void => undefined;
  const lines = (): string[] => text.split('\n').slice(0, -1);
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    check();
  });
  child.once('close', () => {
    ended = true;
    check();
  });
  const kill = async (): Promise<readonly string[]> => {
    child.kill('SIGKILL');
    await closed;
    return lines();
  };
  return {
    pid: child.pid ?? 0,
    lines,
    waitForLines: async (count) => {
      await new Promise<void>((resolve, reject) => {
        check = () => {
          if (lines().length >= count) resolve();
          else if (ended) reject(new Error(`the fixture ended after ${lines().length} lines`));
        };
        check();
      });
      return lines();
    },
    kill,
    [Symbol.asyncDispose]: async () => {
      await kill();
    },
  };
}
