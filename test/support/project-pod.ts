import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { deadline } from './slowness.ts';
import { endOfPodd, type PoddEnd } from './podd-end.ts';
import { TempPod, type TempPodOptions } from './temp-pod.ts';

const PODCTL = new URL('../../dist/podctl.js', import.meta.url).pathname;

/** A Pod of a project: its model is in the user's manifest, the rest in the workspace's `.podd/`. */
export class ProjectPod extends TempPod {
  constructor(options: Partial<TempPodOptions> = {}) {
    super({ script: 'loop = true\n[[steps]]\ntext = "hello"\n', isFound: true, ...options });
    this.user('manifest.toml', '[provider]\nkind = "scripted"\nscript = "../../script.toml"\n');
  }

  /** A file in the user's own configuration. */
  user(name: string, text: string): void {
    put(join(this.folder, '.config/podd', name), text);
  }

  /** A file in the workspace's `.podd/`. */
  own(name: string, text: string): string {
    return put(join(this.workspace, '.podd', name), text);
  }

  check(...args: readonly string[]): PoddEnd {
    return endOfPodd(this, ['--check', ...args]);
  }

  podctl(...args: readonly string[]): PoddEnd {
    const { status, stderr, stdout } = spawnSync(process.execPath, [PODCTL, ...args], {
      cwd: this.workspace,
      env: this.env(),
      encoding: 'utf8',
      timeout: deadline(20_000),
    });
    return { code: status, says: stderr, out: stdout };
  }
}

function put(path: string, text: string): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}
