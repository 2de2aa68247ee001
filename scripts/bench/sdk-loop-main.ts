// The baseline of SPEED-3 and SPEED-4: the loop that one writes with the official SDK, as its documentation shows it. It keeps
// its history in memory, and what it is asked comes in lines on stdin.
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import Anthropic from '@anthropic-ai/sdk';
import type {
  MessageParam,
  ToolResultBlockParam,
  ToolUseBlock,
} from '@anthropic-ai/sdk/resources/messages/messages';
import type { LoopAnswer, LoopBegin, LoopQuestion } from './sdk-loop.ts';

class SdkLoop {
  readonly #client: Anthropic;
  readonly #fixed: LoopBegin['fixed'];
  readonly #messages: MessageParam[] = [];

  constructor({ url, fixed }: LoopBegin) {
    this.#client = new Anthropic({ apiKey: 'no-key-of-anybody', baseURL: url });
    this.#fixed = fixed;
  }

  /** Until the model asks for no tool. */
  async run(input: string): Promise<LoopAnswer> {
    const before = performance.now();
    this.#messages.push({ role: 'user', content: [{ type: 'text', text: input }] });
    for (let turns = 1; ; turns += 1) {
      const { content } = await this.#client.messages
        .stream({ ...this.#fixed, messages: this.#messages })
        .finalMessage();
      this.#messages.push({ role: 'assistant', content });
      const calls = content.filter((block) => block.type === 'tool_use');
      if (calls.length === 0) return { ms: performance.now() - before, turns };
      this.#messages.push({ role: 'user', content: await Promise.all(calls.map(runCall)) });
    }
  }
}

async function runCall({ id, input }: ToolUseBlock): Promise<ToolResultBlockParam> {
  const { file_path: path } = input as { file_path: string };
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
  const text = lines.map((line, index) => `${index + 1}\t${line}`).join('\n');
  const content = `Read ${path}: lines 1-${lines.length} of ${lines.length}\n${text}`;
  return { type: 'tool_result', tool_use_id: id, content };
}

let loop: SdkLoop | undefined;
process.stdout.write('ready\n');
for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line) as LoopQuestion;
  if (question.kind === 'begin') loop = new SdkLoop(question);
  const answer = question.kind === 'run' ? await loop?.run(question.input) : null;
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
