import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deadline } from './slowness.ts';

/**
 * `scripts/quickstart` as a newcomer runs it: an empty home, no settings, nobody at the keyboard. Whatever it makes, it
 * makes below one folder of its own, so what it leaves behind can be looked for there.
 */
export class QuickstartRun implements AsyncDisposable {
  readonly home: string;
  readonly temp: string;
  readonly #folder: string;
  readonly #child: ChildProcess;
  readonly #over: Promise<number | NodeJS.Signals>;
  readonly #wake = new Set<() => void>();
  output = '';

  /** `root` is the tree whose script is run, `userManifest` what the home has of podd already, `env` what is set besides. */
  constructor(
    root: string,
    args: readonly string[] = [],
    {
      userManifest,
      env = {},
    }: { readonly userManifest?: string; readonly env?: Readonly<Record<string, string>> } = {},
  ) {
    // Short: the path of a socket has to fit below it.
    this.#folder = realpathSync(mkdtempSync(join(tmpdir(), 'podd-qs-')));
    this.home = join(this.#folder, 'home');
    this.temp = join(this.#folder, 'tmp');
    mkdirSync(this.home);
    mkdirSync(this.temp);
    if (userManifest !== undefined) {
      const config = join(this.home, '.config/podd');
      mkdirSync(config, { recursive: true });
      writeFileSync(join(config, 'manifest.toml'), userManifest);
    }
    const child = spawn(join(root, 'scripts/quickstart'), args, {
      cwd: this.home,
      env: { ...env, PATH: process.env['PATH'], HOME: this.home, TMPDIR: this.temp },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that Ctrl-C reaches all of it and nothing else.
      detached: true,
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
        for (const wake of this.#wake) wake();
      });
    this.#over = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => {
        resolve(code ?? signal ?? 'SIGKILL');
      });
    });
  }

  /** Its exit code, once it and all that holds its output have ended. */
  async exit(): Promise<number | NodeJS.Signals> {
    return await this.#within(this.#over, 'end');
  }

  async says(text: string): Promise<void> {
    const said = new Promise<void>((resolve) => {
      const look = (): void => {
        if (this.output.includes(text)) resolve();
      };
      this.#wake.add(look);
      look();
    });
    const ended = this.#over.then(() => {
      if (!this.output.includes(text)) throw new Error(`it ended and said:\n${this.output}`);
    });
    await this.#within(Promise.race([said, ended]), `say ${text}`);
  }

  /** What Ctrl-C does: every process of the group gets it. */
  interrupt(): void {
    this.#signalAll('SIGINT');
  }

  /** Processes, wherever they went, whose environment is that of this run. */
  processes(): string[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => readProc(pid, 'environ').includes(`TMPDIR=${this.temp}\0`))
      .map((pid) => `${pid} ${readProc(pid, 'cmdline').replaceAll('\0', ' ')}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#signalAll('SIGKILL');
    await this.#over;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #signalAll(signal: NodeJS.Signals): void {
    if (this.#child.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, signal);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  }

  async #within<T>(wanted: Promise<T>, what: string): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`the quickstart did not ${what} in time; it said:\n${this.output}`));
      }, deadline(25_000));
    });
    try {
      return await Promise.race([wanted, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

function readProc(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    // It ended while it was looked at.
    return '';
  }
}
