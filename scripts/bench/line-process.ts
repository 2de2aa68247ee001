import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { LineChannel, type Line } from './line-channel.ts';

export type ProcessOptions = {
  readonly what: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
};

/** A Node process that is talked to in lines. It is killed when it goes out of scope. */
export class LineProcess implements AsyncDisposable {
  readonly what: string;
  /** `spawn` comes back when the other program has been put in the child's place. */
  readonly execAt: number;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #channel: LineChannel;
  readonly #closed: Promise<unknown>;
  #stderr = '';

  constructor({ what, args, cwd, env = {} }: ProcessOptions) {
    this.what = what;
    const child = spawn(process.execPath, args, {
      ...(cwd === undefined ? {} : { cwd }),
      // No proxy, no NODE_OPTIONS, no settings of whoever runs this.
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.execAt = performance.now();
    this.#child = child;
    this.#closed = once(child, 'close');
    this.#channel = new LineChannel(what, child.stdout, child.stdin);
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text));
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.what} could not be started`);
    return this.#child.pid;
  }

  async line(signal: AbortSignal): Promise<Line> {
    try {
      return await this.#channel.next(signal);
    } catch (error) {
      if (this.#stderr === '') throw error;
      throw new Error(`${this.what} said: ${this.#stderr.trim()}`, { cause: error });
    }
  }

  /** One line there, one back. */
  async ask(question: object, signal: AbortSignal): Promise<string> {
    this.#channel.send(JSON.stringify(question));
    return (await this.line(signal)).text;
  }

  /** Asks it to end, and waits for that. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    await this.#closed;
    clearTimeout(timer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
  }
}
