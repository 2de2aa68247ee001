import type { Tool, TextBlockParam } from '@anthropic-ai/sdk/resources/messages/messages';
import { LineProcess } from './line-process.ts';
import { program } from './programs.ts';

/** What every request of a loop has in common. */
export type FixedPart = {
  readonly model: string;
  readonly max_tokens: number;
  readonly system: TextBlockParam[];
  readonly tools: Tool[];
};

export type LoopBegin = {
  readonly kind: 'begin';
  readonly url: string;
  readonly fixed: FixedPart;
};

export type LoopQuestion = LoopBegin | { readonly kind: 'run'; readonly input: string };

export type LoopAnswer = { readonly ms: number; readonly turns: number };

/** The official SDK in a process of its own, which measures itself. */
export class SdkLoop extends LineProcess {
  private constructor() {
    super({ what: 'the SDK loop', args: [program('sdk-loop')] });
  }

  /** Its requests have the system prompt and the tools of `body`, which is one of podd's. */
  static async start(url: string, body: string, signal: AbortSignal): Promise<SdkLoop> {
    const loop = new SdkLoop();
    try {
      await loop.line(signal);
      const { model, max_tokens, system, tools } = JSON.parse(body) as FixedPart;
      const fixed = { model, max_tokens, system, tools };
      await loop.ask({ kind: 'begin', url, fixed } satisfies LoopQuestion, signal);
      return loop;
    } catch (error) {
      await loop[Symbol.asyncDispose]();
      throw error;
    }
  }

  async run(input: string, signal: AbortSignal): Promise<LoopAnswer> {
    return JSON.parse(
      await this.ask({ kind: 'run', input } satisfies LoopQuestion, signal),
    ) as LoopAnswer;
  }
}
