import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { blocksOf, type MessagesBody } from './messages-api.ts';
import type { Asked, Conduct } from './model-server.ts';
import type { Block } from './play-conduct.ts';

/** What one run does: reads, edits that make files grow, and an answer. */
const STEPS = ['a', 'b', 'b+', 'c', 'c+', 'd', 'd+', 'a', 'c+', '.'] as const;

/** Before each call, and at the end of a run: what models say grows as their work does. */
const THOUGHT = 'I look at the file before I change it, so that what I put into it fits. '.repeat(
  8,
);
const ANSWER = 'What I did in this run, one step after the other, and why I did it so. '.repeat(40);

/** Put into files; an edit finds it and puts more behind it. */
export const EDIT_MARK = '// more goes here';

export type WorkingModelOptions = {
  readonly workspace: string;
  /** Tokens of its window; more is refused as too long. */
  readonly window: number;
  /** Of a run, other than its usual ones: a file, with a plus to make it grow, and a dot at the end. */
  readonly steps?: readonly string[];
  /** Other than a good summary. */
  readonly compactor?: (asked: Asked) => Conduct | null | Promise<Conduct | null>;
};

/**
 * A model that works on four files and, asked for a summary, writes one: it keeps the directives that it finds in the
 * conversation. A directive is a line that begins with "Directive". Tokens are a quarter of the bytes of what was sent.
 */
export class WorkingModel {
  readonly #options: WorkingModelOptions;
  #calls = 0;
  #step = 0;
  /** Bodies of its own requests, and of the compactor's. */
  readonly bodies: MessagesBody[] = [];
  readonly compactorBodies: MessagesBody[] = [];
  /** Of each of its own requests. */
  readonly tokens: number[] = [];

  constructor(options: WorkingModelOptions) {
    this.#options = options;
    for (const name of ['a', 'b', 'c', 'd']) appendFileSync(this.path(name), fileText(name));
  }

  path(name: string): string {
    return join(this.#options.workspace, `${name}.ts`);
  }

  readonly plan = (asked: Asked): Conduct | Promise<Conduct> => {
    const { body } = asked;
    const isCompactor = isOfCompactor(body);
    if (asksForSummary(body)) {
      this.compactorBodies.push(body);
      const other = this.#options.compactor?.(asked) ?? null;
      const good = (): Conduct => this.#summarise(body, isCompactor);
      return other instanceof Promise ? other.then((done) => done ?? good()) : (other ?? good());
    }
    const tokens = tokensOf(body);
    if (tokens > this.#options.window)
      return {
        kind: 'status',
        status: 400,
        type: 'invalid_request_error',
        message: `prompt is too long: ${tokens} tokens > ${this.#options.window} maximum`,
      };
    this.bodies.push(body);
    this.tokens.push(tokens);
    const { steps = STEPS } = this.#options;
    const step = steps[this.#step % steps.length] ?? '.';
    this.#step += 1;
    const words = step === '.' ? ANSWER : `${THOUGHT} (step ${this.#step})`;
    return { kind: 'answer', blocks: [{ text: words }, ...this.#act(step)] };
  };

  #act(step: string): Block[] {
    if (step === '.') return [{ text: ` Done with step ${this.#step}.` }];
    this.#calls += 1;
    const call = `toolu_${this.#calls}`;
    const file_path = this.path(step.slice(0, 1));
    if (!step.endsWith('+')) return [{ call, name: 'Read', input: { file_path, limit: 150 } }];
    const new_string = `const step${this.#step} = 'grown by the step of that number';\n${EDIT_MARK}`;
    return [{ call, name: 'Edit', input: { file_path, old_string: EDIT_MARK, new_string } }];
  }

  #summarise(body: MessagesBody, isCompactor: boolean): Conduct {
    const summary = summaryOf(body);
    if (!isCompactor)
      return {
        kind: 'answer',
        blocks: [
          { text: `${summary}\n\nREAD: ${this.path('a')}:1-5\nREFERENCE: ${this.path('b')}` },
        ],
      };
    const [marks, references] = [
      { file_path: this.path('a'), limit: 5 },
      { file_path: this.path('b') },
    ];
    return {
      kind: 'answer',
      blocks: [
        { call: 'mark', name: 'mark_read_required', input: marks },
        { call: 'refer', name: 'add_reference', input: references },
        { call: 'write', name: 'write_summary', input: { text: summary } },
      ],
    };
  }
}

/** Of a compactor, or for a summary at the end of a session's own conversation. */
export function asksForSummary(body: MessagesBody): boolean {
  return isOfCompactor(body) || lastText(body).includes('is about to be replaced by a summary');
}

function isOfCompactor({ tools = [] }: MessagesBody): boolean {
  return tools.some(({ name }) => name === 'write_summary');
}

/** A summary with all directives that are in the conversation, in the conversation's order. */
export function summaryOf(body: MessagesBody): string {
  const all = allText(body).match(/Directive \d+: [^\n]*/g) ?? [];
  const directives = [...new Set(all)].map((line) => `- ${line}`).join('\n');
  return [
    '## Completed Tasks\n- Files a to d were read and made to grow.',
    '## Active Task\nGoal: go on. Next: the next step.',
    '## Key Decisions\n- Growth goes behind the mark, since edits find it there.',
    `## User Directives\n${directives}`,
    '## Current Work\nAbout to do the next step.',
  ].join('\n\n');
}

export function allText(body: MessagesBody): string {
  return (body.messages ?? []).flatMap(blocksOf).map(textOfBlock).join('\n');
}

/** Of a text, or of what a tool answered. */
export function textOfBlock(block: Readonly<Record<string, unknown>>): string {
  const { text, content } = block;
  if (typeof text === 'string') return text;
  if (typeof content === 'string') return content;
  return Array.isArray(content)
    ? (content as Readonly<Record<string, unknown>>[]).map(textOfBlock).join('\n')
    : '';
}

function lastText(body: MessagesBody): string {
  const last = body.messages?.at(-1);
  return textOfBlock((last === undefined ? [] : blocksOf(last)).at(-1) ?? {});
}

/** As a server counts them that has four bytes to a token. */
export function tokensOf(body: MessagesBody): number {
  const { system = [], tools = [], messages = [] } = body;
  return Math.ceil(Buffer.byteLength(JSON.stringify([system, tools, messages])) / 4);
}

function fileText(name: string): string {
  const lines = Array.from(
    { length: 120 },
    (_, index) => `export const ${name}${index} = 'line ${index} of the file ${name}, as it was';`,
  );
  return `${lines.join('\n')}\n${EDIT_MARK}\n`;
}
