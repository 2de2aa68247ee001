import { spawn } from 'node:child_process';
import { deadline } from './slowness.ts';
import type { TempPod } from './temp-pod.ts';

const PODCTL = new URL('../../dist/podctl.js', import.meta.url).pathname;

type Ended = {
  readonly code: number | NodeJS.Signals;
  readonly out: string;
  readonly err: string;
};

/** The built `podctl` as a process of its own, in the surroundings of a Pod. */
export class Podctl {
  readonly ended: Promise<Ended>;
  out = '';
  err = '';
  readonly #child;

  constructor(pod: TempPod, ...argv: string[]) {
    const child = spawn(process.execPath, [PODCTL, ...argv], {
      cwd: pod.workspace,
      env: pod.env(),
      timeout: deadline(25_000),
      killSignal: 'SIGKILL',
    });
    this.#child = child;
    child.stdout.setEncoding('utf8').on('data', (text: string) => (this.out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.err += text));
    child.stdin.on('error', () => undefined);
    this.ended = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        resolve({ code: code ?? signal ?? 'SIGKILL', out: this.out, err: this.err });
      });
    });
  }

  /** All of its stdin. */
  type(text: string): this {
    this.#child.stdin.end(text);
    return this;
  }

  /** Some of it; more may come. */
  write(text: string): void {
    this.#child.stdin.write(text);
  }

  interrupt(): void {
    this.#child.kill('SIGINT');
  }

  /** Nobody reads its output any more. */
  closeOutput(): void {
    this.#child.stdout.destroy();
  }

  /** Its whole lines so far, as JSON. */
  lines<T>(): T[] {
    return this.out
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as T);
  }
}
