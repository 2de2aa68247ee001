import type { Delta, Numbered } from '../../protocol/events.ts';
import type { Item, ToolCallItem } from '../../protocol/items.ts';
import type { StopReason, Usage } from '../../protocol/report.ts';
import { assertNever } from '../core/assert.ts';
import { Fault } from '../core/fault.ts';
import { LIMITS } from '../core/limits.ts';
import { NO_USAGE } from '../core/usage.ts';
import type { ModelEvent } from '../ports/model.ts';

type Block = { readonly number: number; text: string; ended: boolean } & (
  | { readonly kind: 'text' }
  | { readonly kind: 'reasoning'; opaque?: unknown }
  | { readonly kind: 'call'; readonly callId: string; readonly name: string }
);

/** What an event of the stream shows to clients: a provisional piece, or a numbered event. */
export type Shown =
  | { readonly kind: 'delta'; readonly delta: Delta }
  | { readonly kind: 'event'; readonly event: Numbered };

/** Ends that come upon the model, in the middle of whatever it was saying. */
const CUTS: ReadonlySet<StopReason> = new Set(['max_tokens', 'refusal', 'content_filter']);

/** Puts an answer together from its events. Pure but for the block numbers that it is given. */
export class AnswerBuilder {
  readonly #nextBlock: () => number;
  readonly #origin: { readonly provider: string; readonly model: string };
  readonly #blocks = new Map<number, Block>();
  #units = 0;
  usage: Usage = NO_USAGE;
  stopReason: StopReason | null = null;

  constructor(
    origin: { readonly provider: string; readonly model: string },
    nextBlock: () => number,
  ) {
    this.#origin = origin;
    this.#nextBlock = nextBlock;
  }

  take(event: ModelEvent): Shown | null {
    switch (event.kind) {
      case 'textStarted':
        this.#start(event.block, {
          kind: 'text',
          number: this.#nextBlock(),
          text: '',
          ended: false,
        });
        return null;
      case 'reasoningStarted':
        this.#start(event.block, {
          kind: 'reasoning',
          number: this.#nextBlock(),
          text: '',
          ended: false,
        });
        return null;
      case 'callStarted': {
        const { name } = event;
        const callId = this.#ownId(event.callId);
        const number = this.#nextBlock();
        this.#start(event.block, { kind: 'call', number, text: '', ended: false, callId, name });
        const data = { block: number, callId, name };
        return { kind: 'event', event: { event: 'tool_call_start', data } };
      }
      case 'delta':
        return { kind: 'delta', delta: this.#grow(this.#open(event.block), event.text) };
      case 'blockEnded': {
        const block = this.#open(event.block);
        block.ended = true;
        if (block.kind === 'reasoning' && event.opaque !== undefined) block.opaque = event.opaque;
        return null;
      }
      case 'usage':
        this.usage = event.usage;
        return null;
      case 'stopped':
        this.stopReason = event.reason;
        return null;
      default:
        return assertNever(event, 'AnswerBuilder.take');
    }
  }

  /** Numbers of every block that was shown. */
  blocks(): number[] {
    return [...this.#blocks.values()].map(({ number }) => number);
  }

  /** The whole answer's items in their order; blocks without text are no items. */
  items(): Item[] {
    const cut = this.#cutBlock();
    return [...this.#blocks.values()].flatMap((block) =>
      this.#toItem(block, block === cut ? 'incomplete' : 'complete'),
    );
  }

  /** What is worth keeping of an answer that was cut off: its text. Unfinished calls and reasoning are not. */
  partialItems(): Item[] {
    return [...this.#blocks.values()].flatMap((block) =>
      block.kind === 'text' ? this.#toItem(block, 'incomplete') : [],
    );
  }

  /** The call, by its id, in the middle of which the answer was ended. Its arguments may even look whole. */
  cutCall(): string | null {
    const cut = this.#cutBlock();
    return cut?.kind === 'call' ? cut.callId : null;
  }

  #cutBlock(): Block | null {
    if (this.stopReason === null || !CUTS.has(this.stopReason)) return null;
    return [...this.#blocks.values()].at(-1) ?? null;
  }

  /** The events that tell the answer whole, once it is on disk. `only` leaves out what was not kept. */
  doneEvents(only: 'all' | 'text'): Numbered[] {
    return [...this.#blocks.values()].flatMap((block): Numbered[] => {
      const { number, text } = block;
      if (block.kind === 'text')
        return text === '' ? [] : [{ event: 'text_done', data: { block: number, text } }];
      if (only === 'text') return [];
      if (block.kind === 'reasoning')
        return [{ event: 'reasoning_done', data: { block: number, text } }];
      const { callId, name } = block;
      const data = { block: number, callId, name, arguments: argumentsOf(text) };
      return [{ event: 'tool_call_done', data }];
    });
  }

  calls(): ToolCallItem[] {
    return this.items().filter((item) => item.type === 'tool_call');
  }

  #start(index: number, block: Block): void {
    if (this.#blocks.has(index)) throw malformed(`block ${index} started twice`);
    if (this.#blocks.size >= LIMITS.answerBlocks) throw malformed('too many blocks');
    this.#blocks.set(index, block);
  }

  // Some servers give every call of an answer the same id, or none.
  #ownId(callId: string): string {
    const taken = new Set(
      [...this.#blocks.values()].flatMap((block) => (block.kind === 'call' ? [block.callId] : [])),
    );
    let own = callId === '' ? 'call' : callId;
    for (let n = 2; taken.has(own); n += 1) own = `${callId === '' ? 'call' : callId}_${n}`;
    return own;
  }

  #open(index: number): Block {
    const block = this.#blocks.get(index);
    if (block === undefined || block.ended) throw malformed(`block ${index} is not open`);
    return block;
  }

  #grow(block: Block, text: string): Delta {
    const offset = block.text.length;
    this.#units += text.length;
    if (this.#units > LIMITS.answerUnits)
      throw new Fault(
        'provider_error',
        `the answer is longer than ${LIMITS.answerUnits} characters`,
        { data: { reason: 'too_long', retryable: false } },
      );
    block.text += text;
    if (block.kind === 'call')
      return {
        event: 'tool_call_args_delta',
        data: { block: block.number, callId: block.callId, offset, json: text },
      };
    return {
      event: block.kind === 'text' ? 'text_delta' : 'reasoning_delta',
      data: { block: block.number, offset, text },
    };
  }

  #toItem(block: Block, status: 'complete' | 'incomplete'): Item[] {
    const { text } = block;
    if (block.kind === 'call')
      return [
        { type: 'tool_call', callId: block.callId, name: block.name, arguments: argumentsOf(text) },
      ];
    if (block.kind === 'reasoning') {
      if (block.opaque === undefined) return text === '' ? [] : [{ type: 'reasoning', text }];
      return [{ type: 'reasoning', text, opaque: { ...this.#origin, data: block.opaque } }];
    }
    if (text === '') return [];
    return [
      {
        type: 'message',
        role: 'assistant',
        content: [{ type: 'text', text }],
        ...(status === 'incomplete' ? { status } : {}),
      },
    ];
  }
}

/** A call without arguments is an empty object everywhere, never an empty text or null. */
function argumentsOf(json: string): string {
  return json.trim() === '' || json.trim() === 'null' ? '{}' : json;
}

function malformed(says: string): Fault {
  return new Fault('provider_error', `the provider's stream is malformed: ${says}`, {
    data: { reason: 'malformed', retryable: true },
  });
}
