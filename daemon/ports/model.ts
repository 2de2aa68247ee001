import type { Item } from '../../protocol/items.ts';
import type { StopReason, Usage } from '../../protocol/report.ts';
import type { RequestShape } from '../core/checked-items.ts';

export type ToolDefinition = {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments object. */
  readonly parameters: Readonly<Record<string, unknown>>;
};

/** What leaves for a model. `tools` are sorted by name, `items` are valid by `core/request-check`. */
export type ModelRequest = {
  readonly systemPrompt: string;
  readonly tools: readonly ToolDefinition[];
  readonly items: readonly Item[];
  /** So many of the last items are of this request alone: the next one will not have them there. None by default. */
  readonly passing?: number;
  /**
   * What is before these item counts stays as it is for longer than what is behind: content was left out there, by this
   * request (`now`) and by the one before (`before`; the same for most). 0: none was.
   */
  readonly pruned?: { readonly before: number; readonly now: number };
  /** Instead of what the manifest says, as far as the model takes it: the compactor's. */
  readonly sampling?: { readonly temperature: number; readonly maxTokens: number };
};

/** US dollars per million tokens. `input` is what is neither read from the cache nor written to it. */
export type Prices = {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
};

/**
 * One answer as it comes. Blocks are numbered from 0 within an answer and may interleave; each is started, gets
 * its deltas, and ends. `stopped` is the terminal event: an iteration that ends without it was cut off, and the adapter throws.
 */
export type ModelEvent =
  | { readonly kind: 'textStarted' | 'reasoningStarted'; readonly block: number }
  | {
      readonly kind: 'callStarted';
      readonly block: number;
      readonly callId: string;
      readonly name: string;
    }
  /** Text, reasoning, or a piece of the call's JSON. */
  | { readonly kind: 'delta'; readonly block: number; readonly text: string }
  | { readonly kind: 'blockEnded'; readonly block: number; readonly opaque?: unknown }
  | { readonly kind: 'usage'; readonly usage: Usage }
  | { readonly kind: 'stopped'; readonly reason: StopReason };

/**
 * A provider. `stream` throws a `Fault` with code `provider_error` (its `data` has `status` or `reason`, and
 * `retryable`) when the provider fails, and the signal's reason when that aborts, at the latest 100 ms after it.
 */
export type Model = {
  readonly provider: string;
  readonly model: string;
  /** Tokens of the window, where it is known. */
  readonly contextWindow?: number;
  /** Where they are known. */
  readonly prices?: Prices;
  /** What it wants of the order of items. */
  readonly order?: Pick<RequestShape, 'userFirst' | 'userLast' | 'mergeRoles'>;
  /** What the manifest asks of it and it does not take, each with why: it is not sent, and told once. */
  readonly unsent?: readonly string[];
  readonly stream: (request: ModelRequest, signal: AbortSignal) => AsyncIterable<ModelEvent>;
};
