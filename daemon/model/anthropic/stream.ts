import type {
  RawContentBlockDeltaEvent,
  RawContentBlockStartEvent,
  RawMessageStreamEvent,
  StopReason as AnthropicStop,
} from '@anthropic-ai/sdk/resources/messages/messages';
import type { StopReason, Usage } from '../../../protocol/report.ts';
import { NO_USAGE } from '../../core/usage.ts';
import type { ModelEvent } from '../../ports/model.ts';
import type { AnthropicOpaque } from './request.ts';

const STOPS: Readonly<Record<AnthropicStop, StopReason>> = {
  end_turn: 'end',
  stop_sequence: 'end',
  pause_turn: 'end',
  tool_use: 'tool_calls',
  max_tokens: 'max_tokens',
  model_context_window_exceeded: 'max_tokens',
  refusal: 'refusal',
};

/**
 * Turns the events of one answer into podd's. Pure but for its memory of the blocks that are open. Events and blocks
 * that it does not know are told to `skipped` and passed over (PROV-10).
 */
export class AnthropicStream {
  readonly #skipped: (what: string) => void;
  /** Of blocks that are shown: what goes back as it came, null for all but reasoning. */
  readonly #open = new Map<number, AnthropicOpaque | null>();
  #usage: Usage = NO_USAGE;
  #stop: StopReason = 'end';

  constructor(skipped: (what: string) => void) {
    this.#skipped = skipped;
  }

  take(event: RawMessageStreamEvent): ModelEvent[] {
    switch (event.type) {
      case 'message_start':
        this.#count(event.message.usage);
        // Of an answer that breaks off there is no other.
        return [{ kind: 'usage', usage: this.#usage }];
      case 'content_block_start':
        return this.#start(event);
      case 'content_block_delta':
        return this.#grow(event);
      case 'content_block_stop':
        return this.#end(event.index);
      case 'message_delta': {
        this.#count(event.usage);
        const { stop_reason: reason } = event.delta;
        if (reason !== null) this.#stop = this.#toStop(reason);
        return [];
      }
      case 'message_stop':
        return [
          { kind: 'usage', usage: this.#usage },
          { kind: 'stopped', reason: this.#stop },
        ];
      default:
        this.#skipped(`event ${String((event as { readonly type: unknown }).type)}`);
        return [];
    }
  }

  #start({ index: block, content_block: content }: RawContentBlockStartEvent): ModelEvent[] {
    const delta = (text: string): ModelEvent[] =>
      text === '' ? [] : [{ kind: 'delta', block, text }];
    const start = (opaque: AnthropicOpaque | null, ...events: ModelEvent[]): ModelEvent[] => {
      this.#open.set(block, opaque);
      return events;
    };
    const { type } = content;
    if (type === 'text') return start(null, { kind: 'textStarted', block }, ...delta(content.text));
    if (type === 'tool_use')
      return start(null, { kind: 'callStarted', block, callId: content.id, name: content.name });
    const started: ModelEvent = { kind: 'reasoningStarted', block };
    if (type === 'redacted_thinking')
      return start({ kind: 'redacted', data: content.data }, started);
    if (type === 'thinking') {
      const { signature, thinking } = content;
      return start({ kind: 'thinking', signature }, started, ...delta(thinking));
    }
    this.#skipped(`block ${type}`);
    return [];
  }

  #grow({ index: block, delta }: RawContentBlockDeltaEvent): ModelEvent[] {
    const open = this.#open.get(block);
    if (open === undefined) return [];
    const grown = (text: string): ModelEvent[] => [{ kind: 'delta', block, text }];
    const { type } = delta;
    if (type === 'text_delta') return grown(delta.text);
    if (type === 'thinking_delta') return grown(delta.thinking);
    if (type === 'input_json_delta') return grown(delta.partial_json);
    if (type !== 'signature_delta') this.#skipped(`delta ${type}`);
    else if (open?.kind === 'thinking')
      this.#open.set(block, { ...open, signature: open.signature + delta.signature });
    return [];
  }

  #end(block: number): ModelEvent[] {
    const open = this.#open.get(block);
    if (open === undefined) return [];
    this.#open.delete(block);
    // Without its signature the API does not take it back.
    const isWhole = open !== null && (open.kind === 'redacted' || open.signature !== '');
    return [{ kind: 'blockEnded', block, ...(isWhole ? { opaque: open } : {}) }];
  }

  #toStop(reason: AnthropicStop): StopReason {
    if (reason in STOPS) return STOPS[reason];
    this.#skipped(`stop reason ${reason as string}`);
    return 'end';
  }

  /** Later counts of an answer replace its earlier ones; what one does not say stays. */
  #count(usage: {
    readonly input_tokens?: number | null;
    readonly cache_read_input_tokens?: number | null;
    readonly cache_creation_input_tokens?: number | null;
    readonly output_tokens?: number | null;
  }): void {
    const { cacheRead, cacheWrite, output, inputTotal } = this.#usage;
    const fresh = usage.input_tokens ?? inputTotal - cacheRead - cacheWrite;
    const read = usage.cache_read_input_tokens ?? cacheRead;
    const write = usage.cache_creation_input_tokens ?? cacheWrite;
    this.#usage = {
      inputTotal: fresh + read + write,
      cacheRead: read,
      cacheWrite: write,
      output: usage.output_tokens ?? output,
    };
  }
}
