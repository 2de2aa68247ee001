import { type ChildProcess, spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { Cancelled } from '../core/cancel.ts';
import { LIMITS } from '../core/limits.ts';
import { ok, refuse, type Result } from '../core/result.ts';
import { withDeadline } from '../support/with-deadline.ts';
import type {
  Asset,
  AssetName,
  TemplateJob,
  TemplateProblem,
  TemplateReply,
} from './template-job.ts';
import { parseReply } from './template-reply.ts';

export type LoadAsset = (name: AssetName, signal: AbortSignal) => Promise<Asset>;

/**
 * Checks or renders a template in a process of its own, which has no environment, opens no file, and is gone when this
 * answers. What it includes is loaded here, as it is asked for. Text without a tag in it needs no such process.
 */
export async function evaluateIn(
  program: string,
  { kind, root, variables }: Omit<TemplateJob, 'assets'>,
  load: LoadAsset,
  signal: AbortSignal,
  limitMs: number = LIMITS.templateMs,
): Promise<Result<string, readonly TemplateProblem[]>> {
  const limit = { what: `the template ${root}`, ms: limitMs };
  try {
    return await withDeadline(signal, limit, async (within) => {
      const first = await load(root, within);
      if ('says' in first) return refuse([problem(root, first.says)]);
      if (!HAS_TAG.test(first.text)) return ok(kind === 'check' ? '' : first.text);
      const job = { kind, root, variables, assets: { [root]: first } };
      return await converse(program, job, load, within);
    });
  } catch (error) {
    if (signal.aborted || !(error instanceof Cancelled)) throw error;
    return refuse([problem(root, `took longer than ${limitMs} ms`)]);
  }
}

const HAS_TAG = /\{[{%#]/;

async function converse(
  program: string,
  job: TemplateJob,
  load: LoadAsset,
  signal: AbortSignal,
): Promise<Result<string, readonly TemplateProblem[]>> {
  await using template = new TemplateProcess(program, signal);
  const assets: Record<AssetName, Asset> = { ...job.assets };
  for (let round = 0; round < LIMITS.templateRounds; round += 1) {
    const reply = await template.ask({ ...job, assets });
    switch (reply.kind) {
      case 'done':
        return ok(reply.text);
      case 'refused':
        return refuse(reply.problems);
      case 'gone':
        return refuse([problem(job.root, reply.says)]);
      case 'needs':
        if (Object.keys(assets).length + reply.assets.length > LIMITS.templateAssets)
          return refuse([problem(job.root, `includes more than ${LIMITS.templateAssets} prompts`)]);
        for (const name of reply.assets) assets[name] = await load(name, signal);
    }
  }
  return refuse([problem(job.root, `includes by name more than ${LIMITS.templateRounds} levels`)]);
}

function problem(asset: AssetName, says: string): TemplateProblem {
  return { asset, line: null, column: null, says };
}

type Reply = TemplateReply | { readonly kind: 'gone'; readonly says: string };

/** Where Node can, the process may neither write, nor start another, nor read but podd's own program. */
function permissions(program: string): string[] {
  const known = process.allowedNodeEnvironmentFlags;
  const flag = ['--permission', '--experimental-permission'].find((one) => known.has(one));
  if (flag === undefined) return [];
  const folder = dirname(program);
  // Node looks there for what kind of module the program is.
  const readable = [`${folder}/*`, join(dirname(folder), 'package.json')];
  return [flag, ...readable.map((path) => `--allow-fs-read=${path}`)];
}

class TemplateProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  readonly #signal: AbortSignal;
  #received = '';
  #wake: () => void = () => undefined;

  constructor(program: string, signal: AbortSignal) {
    this.#signal = signal;
    const memory = `--max-old-space-size=${LIMITS.templateMemoryMiB}`;
    const args = [memory, '--disable-proto=delete', ...permissions(program), program];
    this.#child = spawn(process.execPath, args, {
      cwd: '/',
      env: {},
      stdio: ['pipe', 'pipe', 'ignore'],
      signal,
      killSignal: 'SIGKILL',
    });
    this.#closed = new Promise((resolve) => {
      this.#child.once('close', resolve);
      this.#child.on('error', (error) => {
        // What was started is waited for until it is closed, also when it was the signal that ended it.
        if (this.#child.pid === undefined) resolve(error);
      });
    });
    // Written to after its death: the end is told all the same.
    this.#child.stdin?.on('error', () => undefined);
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      if (this.#received.length > LIMITS.templateLineBytes) return;
      this.#received += text;
      if (this.#received.length > LIMITS.templateLineBytes) this.#child.kill('SIGKILL');
      else if (text.includes('\n')) this.#wake();
    });
  }

  async ask(job: TemplateJob): Promise<Reply> {
    const asked = `${JSON.stringify(job)}\n`;
    if (Buffer.byteLength(asked) > LIMITS.templateLineBytes)
      return gone(`is made of more than ${LIMITS.templateLineBytes} bytes`);
    const line = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#received = '';
    this.#child.stdin?.write(asked);
    await Promise.race([line, this.#closed]);
    this.#signal.throwIfAborted();
    if (!this.#received.includes('\n')) return gone(this.#sayEnd());
    return (
      parseReply(this.#received) ?? gone("can't be rendered: its process said what is no reply")
    );
  }

  #sayEnd(): string {
    const { exitCode, signalCode } = this.#child;
    // Node aborts when its heap is full.
    return signalCode === 'SIGABRT' || signalCode === 'SIGTRAP'
      ? `takes more than ${LIMITS.templateMemoryMiB} MiB of memory`
      : `can't be rendered: its process ended (${signalCode ?? exitCode ?? 'not started'})`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
  }
}

function gone(says: string): Reply {
  return { kind: 'gone', says };
}
