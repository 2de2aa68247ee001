import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LineProcess } from './line-process.ts';
import { program } from './programs.ts';

/** A Node process that serves one socket, in a folder of its own. */
export class BareNode extends LineProcess {
  readonly socket: string;
  readonly #folder: string;

  constructor() {
    const folder = mkdtempSync(join(tmpdir(), 'podd-bench-'));
    const socket = join(folder, 'sock');
    super({ what: 'bare node', args: [program('bare-node'), socket] });
    this.socket = socket;
    this.#folder = folder;
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
