import { LineProcess } from './line-process.ts';
import { program } from './programs.ts';

/** So many calls of `Read` on this file, then a text; and so again. */
export type Plan = { readonly calls: number; readonly path: string };

export type ServerQuestion = ({ readonly kind: 'plan' } & Plan) | { readonly kind: 'taken' };

/** What the server had since it was last asked. */
export type Taken = {
  /** Of each request, from its last byte read to the last byte of its answer written. */
  readonly ms: readonly number[];
  /** The last request. */
  readonly body: string;
};

/** A stand-in for Claude's API, in a process of its own: what it costs, nobody who is measured pays. */
export class ClaudeServer extends LineProcess {
  url = '';

  private constructor() {
    super({ what: 'the server', args: [program('claude-server')] });
  }

  static async start(signal: AbortSignal): Promise<ClaudeServer> {
    const server = new ClaudeServer();
    try {
      server.url = (await server.line(signal)).text;
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  async plan(plan: Plan, signal: AbortSignal): Promise<void> {
    await this.ask({ kind: 'plan', ...plan } satisfies ServerQuestion, signal);
  }

  async taken(signal: AbortSignal): Promise<Taken> {
    return JSON.parse(await this.ask({ kind: 'taken' } satisfies ServerQuestion, signal)) as Taken;
  }
}
