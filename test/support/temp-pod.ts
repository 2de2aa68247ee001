import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deadline } from './slowness.ts';
import { WireClient } from './wire-client.ts';

export const PODD = new URL('../../dist/podd.js', import.meta.url).pathname;

export type Ready = {
  readonly ready: true;
  readonly pod: string;
  readonly pid: number;
  readonly socket: string;
  readonly sessionId: string;
  readonly epoch: number;
  readonly registry?: string;
  readonly root?: true;
};

export type TempPodOptions = {
  /** TOML of the script that its model plays; `{{workspace}}` is filled in. */
  readonly script: string;
  /** More lines for the manifest, above its tables. */
  readonly worker?: string;
  /** Put before `node`, such as strace and its arguments. */
  readonly under?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** Started without `--manifest`: it finds one in its workspace. */
  readonly isFound?: true;
  readonly name?: string;
  /** What it may write; its workspace is its own all the same. */
  readonly target?: string;
  /** The registry that it shares with others; its own without. */
  readonly registry?: string;
  /** What its stderr is; `unread` is read only when the test asks for it. */
  readonly stderr?: number | 'unread';
  /** Another main, such as a sabotaged one. */
  readonly podd?: string;
};

/**
 * A home of its own for one Pod: workspace, manifest, state, runtime, all in one temporary folder. The Pod itself is
 * started, killed and started again as a test needs.
 */
export class TempPod implements AsyncDisposable {
  readonly folder: string;
  readonly workspace: string;
  readonly state: string;
  readonly name: string;
  readonly registry: string;
  readonly #options: TempPodOptions;
  #child: ChildProcess | undefined;
  stderr = '';
  ready: Ready | undefined;

  constructor(options: TempPodOptions) {
    this.#options = options;
    this.folder = realpathSync(mkdtempSync(join(tmpdir(), 'podd-')));
    this.name = options.name ?? 'p';
    this.registry = options.registry ?? join(this.folder, 'registry');
    this.workspace = join(this.folder, 'ws');
    this.state = join(this.folder, 'state', 'pods', this.name);
    mkdirSync(this.workspace);
    this.script(options.script);
    writeFileSync(
      join(this.folder, 'pod.toml'),
      [
        '[pod]',
        `name = "${this.name}"`,
        '[provider]',
        'kind = "scripted"',
        'script = "script.toml"',
        '[worker]',
        options.worker ?? '',
        '[[scope.allow]]',
        `target = "${options.target ?? this.workspace}"`,
        'permission = "write"',
        ...(options.target === undefined
          ? []
          : ['[[scope.allow]]', `target = "${this.workspace}"`, 'permission = "read"']),
        '',
      ].join('\n'),
    );
  }

  /** The environment that its daemon is started with. */
  env(): Record<string, string | undefined> {
    return {
      PATH: process.env['PATH'],
      HOME: this.folder,
      PODD_RUNTIME_DIR: join(this.folder, 'run'),
      PODD_STATE_DIR: join(this.folder, 'state'),
      PODD_SCOPE_REGISTRY: this.registry,
      ...this.#options.env,
    };
  }

  get socket(): string {
    return join(this.folder, 'run', this.name, 'sock');
  }

  get pid(): number {
    if (this.ready === undefined) throw new Error('the Pod is not ready');
    return this.ready.pid;
  }

  script(toml: string): void {
    writeFileSync(
      join(this.folder, 'script.toml'),
      toml.replaceAll('{{workspace}}', this.workspace),
    );
  }

  file(name: string, text: string): string {
    const path = join(this.workspace, name);
    writeFileSync(path, text);
    return path;
  }

  /** Starts the daemon, with `more` arguments, and waits for its ready line. Throws with its stderr when it ends before that. */
  async start(under?: readonly string[], more: readonly string[] = []): Promise<Ready> {
    const words: string[] = [...(under ?? this.#options.under ?? []), process.execPath];
    const [command = process.execPath, ...before] = words;
    const { stderr } = this.#options;
    const child = spawn(
      command,
      [
        ...before,
        this.#options.podd ?? PODD,
        ...(this.#options.isFound === true ? [] : ['--manifest', join(this.folder, 'pod.toml')]),
        ...(this.#options.args ?? []),
        ...more,
      ],
      {
        cwd: this.workspace,
        env: this.env(),
        stdio: ['ignore', 'pipe', typeof stderr === 'number' ? stderr : 'pipe'],
      },
    );
    this.#child = child;
    this.stderr = '';
    this.ready = undefined;
    if (stderr !== 'unread') this.readStderr();
    this.ready = await new Promise<Ready>((resolve, reject) => {
      let out = '';
      const timer = setTimeout(() => {
        reject(new Error(`not ready in ${deadline(20_000)} ms: ${this.stderr}`));
      }, deadline(20_000));
      child.stdout?.setEncoding('utf8').on('data', (text: string) => {
        out += text;
        if (!out.includes('\n')) return;
        clearTimeout(timer);
        resolve(JSON.parse(out) as Ready);
      });
      child.once('exit', (code, signal) => {
        clearTimeout(timer);
        reject(
          new Error(`podd ended (${code ?? signal ?? ''}) before it was ready: ${this.stderr}`),
        );
      });
    });
    return this.ready;
  }

  readStderr(): void {
    this.#child?.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
  }

  async client(): Promise<WireClient> {
    return await WireClient.open(this.socket);
  }

  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  async kill9(): Promise<void> {
    this.signal('SIGKILL');
    await this.exit();
  }

  /** Waits for the process's end; answers its exit code, or the signal that ended it. */
  async exit(): Promise<number | NodeJS.Signals> {
    const child = this.#child;
    if (child === undefined) throw new Error('never started');
    if (child.exitCode === null && child.signalCode === null)
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => {
          reject(new Error(`podd did not end in ${deadline(15_000)} ms`));
        }, deadline(15_000));
        child.once('exit', () => {
          clearTimeout(timer);
          resolve();
        });
      });
    const end = child.exitCode ?? child.signalCode;
    if (end === null) throw new Error('the child ended without a code');
    return end;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#child;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      // Under strace the daemon is not the child itself.
      if (this.ready !== undefined && this.ready.pid !== child.pid) this.signal('SIGKILL');
      child.kill('SIGKILL');
      await this.exit();
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}
