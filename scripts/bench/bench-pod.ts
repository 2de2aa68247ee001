import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LineProcess } from './line-process.ts';
import { PODD } from './programs.ts';

export const MODEL = 'claude-test';

/** TOML of a provider that never has to answer. */
const UNASKED = 'kind = "scripted"\nscript = "script.toml"';

/** A home for Pods, with all that they read and write in one temporary folder. */
export class PodHome implements AsyncDisposable {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'podd-bench-')));
  readonly #provider: string;
  readonly #running: LineProcess[] = [];

  constructor(provider: string = UNASKED, script = '[[steps]]\ntext = ""\n') {
    this.#provider = provider;
    writeFileSync(join(this.folder, 'script.toml'), script);
  }

  /** `settings`: more TOML, of the provider first. */
  static claude(url: string, settings = ''): PodHome {
    return new PodHome(`kind = "anthropic"\nmodel = "${MODEL}"\nbase_url = "${url}"\n${settings}`);
  }

  workspace(name = 'p'): string {
    return join(this.folder, 'ws', name);
  }

  socket(name = 'p'): string {
    return join(this.folder, 'run', name, 'sock');
  }

  /** Begins with what the Pods of another home have stored; none of them may be running. */
  copyState(from: PodHome): void {
    cpSync(join(from.folder, 'state'), join(this.folder, 'state'), { recursive: true });
  }

  /** Everything that is not podd's own work is done before the process begins. */
  start(name = 'p'): LineProcess {
    const workspace = this.workspace(name);
    const manifest = join(this.folder, `${name}.toml`);
    mkdirSync(workspace, { recursive: true });
    writeFileSync(
      manifest,
      `[pod]\nname = "${name}"\n[provider]\n${this.#provider}\n` +
        `[[scope.allow]]\ntarget = "${workspace}"\npermission = "write"\n`,
    );
    const pod = new LineProcess({
      what: `podd ${name}`,
      args: [PODD, '--bare', '--manifest', manifest],
      cwd: workspace,
      env: {
        HOME: this.folder,
        PODD_RUNTIME_DIR: join(this.folder, 'run'),
        PODD_STATE_DIR: join(this.folder, 'state'),
        PODD_SCOPE_REGISTRY: join(this.folder, 'registry'),
        ANTHROPIC_API_KEY: 'no-key-of-anybody',
      },
    });
    this.#running.push(pod);
    return pod;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#running.map((pod) => pod[Symbol.asyncDispose]()));
    rmSync(this.folder, { recursive: true, force: true });
  }
}
