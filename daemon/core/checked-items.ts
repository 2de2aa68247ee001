import type { Item } from '../../protocol/items.ts';
import { parseArgumentsObject } from './call-arguments.ts';
import { itemBytes } from './item-bytes.ts';
import { isWellFormedItem } from './well-formed.ts';

/** Whom a request is for, and what that provider wants of the order of items. */
export type RequestShape = {
  readonly provider: string;
  readonly model: string;
  /** The first item is a user's (or the system's), never the model's own. */
  readonly userFirst?: boolean;
  /** The last item is not the model's own. */
  readonly userLast?: boolean;
  /** Two messages of one role never follow each other. */
  readonly mergeRoles?: boolean;
};

/** Names of tools, and ids of calls, that every provider takes. */
const LEGAL_NAME = /^[a-zA-Z0-9_-]{1,64}$/;

/**
 * The rules of a valid list of items, looked at one item at a time. It remembers the items that it accepted, so
 * that a history which only grows costs its growth; one that is not an extension of them is looked at anew.
 */
export class CheckedItems {
  readonly #shape: RequestShape;
  #accepted: Item[] = [];
  #lasting = 0;
  #bytes = 0;
  #seenCalls = new Set<string>();
  #openCalls = new Set<string>();

  constructor(shape: RequestShape) {
    this.#shape = shape;
  }

  /** Bytes of the items that were accepted, as a model reads them. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * What is wrong with `items`, nothing if they may be sent. Items never change once they were shown; the last `passing`
   * ones go along this once.
   */
  problemsOf(items: readonly Item[], passing = 0): string[] {
    if (this.#accepted.some((item, index) => items[index] !== item)) this.#forget();
    const problems: string[] = [];
    for (let index = this.#accepted.length; index < items.length; index += 1) {
      const item = items[index];
      if (item === undefined) continue;
      for (const says of this.#add(item)) problems.push(`item ${index}: ${says}`);
      this.#accepted.push(item);
    }
    this.#lasting = items.length - passing;
    if (problems.length > 0) this.#forget();
    else problems.push(...this.#endProblems());
    return problems;
  }

  /**
   * The first index at which `items` are not those that were accepted last; null: they begin with them, but for what went
   * along that once.
   */
  firstChange(items: readonly Item[]): number | null {
    const index = this.#accepted.findIndex((item, at) => items[at] !== item);
    return index === -1 || index >= this.#lasting ? null : index;
  }

  #forget(): void {
    this.#accepted = [];
    this.#bytes = 0;
    this.#seenCalls = new Set();
    this.#openCalls = new Set();
  }

  #endProblems(): string[] {
    const problems = [...this.#openCalls].map((callId) => `call ${callId} has no result`);
    const last = this.#accepted.at(-1);
    if (last?.type === 'reasoning') problems.push('the last item is reasoning without an answer');
    else if (this.#shape.userLast === true && last?.type === 'message' && isAnswerPart(last))
      problems.push('the last item is the model’s own');
    if (this.#accepted.length === 0) problems.push('there is nothing to answer');
    return problems;
  }

  #add(item: Item): string[] {
    const previous = this.#accepted.at(-1);
    this.#bytes += itemBytes(item);
    const problems = this.#orderProblems(item, previous);
    if (!isWellFormedItem(item)) problems.push('it has half of a surrogate pair');
    switch (item.type) {
      case 'message':
        problems.push(...messageProblems(item));
        break;
      case 'reasoning':
        problems.push(...reasoningProblems(item, this.#shape));
        break;
      case 'tool_call':
        problems.push(...callProblems(item));
        if (this.#seenCalls.has(item.callId)) problems.push(`call ${item.callId} is not the first`);
        this.#seenCalls.add(item.callId);
        this.#openCalls.add(item.callId);
        break;
      case 'tool_result':
        if (item.summary.trim() === '' && (item.content ?? '').trim() === '')
          problems.push('the result is empty');
        if (!this.#openCalls.delete(item.callId))
          problems.push(`a result for ${item.callId}, which is not waiting for one`);
        break;
      default:
        problems.push(`its type is not legal`);
    }
    return problems;
  }

  #orderProblems(item: Item, previous: Item | undefined): string[] {
    const problems: string[] = [];
    const own = isAnswerPart(item);
    if (previous === undefined && this.#shape.userFirst === true)
      if (own || item.type === 'tool_result') problems.push('the first item is not a user message');
    if (previous?.type === 'reasoning' && !own)
      problems.push('the reasoning before it has no answer');
    // Calls of one answer stay together, and their results right behind them.
    const waits = own ? previous?.type === 'tool_result' : item.type !== 'tool_result';
    if (waits && this.#openCalls.size > 0)
      problems.push(`it stands between a call and its result (${[...this.#openCalls].join(', ')})`);
    if (this.#shape.mergeRoles === true && item.type === 'message')
      if (previous?.type === 'message' && previous.role === item.role)
        problems.push(`a second ${item.role} message in a row`);
    return problems;
  }
}

/** Said by the model, as part of an answer: text, reasoning or a call. */
export function isAnswerPart(item: Item): boolean {
  switch (item.type) {
    case 'message':
      return item.role === 'assistant';
    case 'tool_call':
    case 'reasoning':
      return true;
    case 'tool_result':
      return false;
  }
}

/** Providers refuse a text of nothing but white space as they refuse none. */
export function isEmptyPart(part: Extract<Item, { type: 'message' }>['content'][number]): boolean {
  return (part.type === 'text' ? part.text : part.refusal).trim() === '';
}

/** Reasoning with a provider's signature is replayed to that provider and model only; without text or signature it says nothing. */
export function isReplayable(
  item: Extract<Item, { type: 'reasoning' }>,
  to: RequestShape,
): boolean {
  if (!item.text.isWellFormed()) return false;
  if (item.opaque === undefined) return item.text !== '';
  return item.opaque.provider === to.provider && item.opaque.model === to.model;
}

export function isLegalName(name: string): boolean {
  return LEGAL_NAME.test(name);
}

function messageProblems(item: Extract<Item, { type: 'message' }>): string[] {
  const problems: string[] = [];
  if (!['user', 'assistant', 'system'].includes(item.role)) problems.push('its role is not legal');
  if (item.content.length === 0) problems.push('the message is empty');
  if (item.content.some(isEmptyPart)) problems.push('it has an empty text block');
  return problems;
}

function reasoningProblems(
  item: Extract<Item, { type: 'reasoning' }>,
  shape: RequestShape,
): string[] {
  return isReplayable(item, shape) ? [] : ['the reasoning is empty, or not of this model'];
}

function callProblems(item: Extract<Item, { type: 'tool_call' }>): string[] {
  const problems: string[] = [];
  if (!isLegalName(item.callId)) problems.push('the id of the call is not legal');
  if (!isLegalName(item.name)) problems.push('the name of the tool is not legal');
  // Here nothing stands for `{}`: what is sent is an object's text.
  if (!isObjectText(item.arguments)) problems.push('the arguments are not a JSON object');
  return problems;
}

/** Text of a JSON object, as it may be sent. */
export function isObjectText(text: string): boolean {
  return parseArgumentsObject(text).ok && text.trimStart().startsWith('{');
}
