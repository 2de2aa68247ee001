import type { Item, MessageItem, ToolCallItem, ToolResultItem } from '../../protocol/items.ts';
import {
  CheckedItems,
  isAnswerPart,
  isEmptyPart,
  isLegalName,
  isObjectText,
  isReplayable,
  type RequestShape,
} from './checked-items.ts';
import { toWellFormedItem } from './well-formed.ts';

/**
 * From any committed history, however it was cut off, the items that a provider takes. Nothing is invented but what
 * is missing: a result for a call that has none, a first or last user message where one is wanted.
 *
 * Pure and cheap: a history that is valid already is answered as it is, the same array. What it makes is valid by
 * `request-check`, building it again changes nothing, and as long as every call had its result a longer history
 * extends it. `checked` may be kept between the requests of one history (not the one of `checkRequest`).
 */
export function buildRequestItems(
  history: readonly Item[],
  shape: RequestShape,
  checked: CheckedItems = new CheckedItems(shape),
): readonly Item[] {
  if (checked.problemsOf(history).length === 0) return history;
  const layout = new Layout();
  for (const item of history) {
    const mended = mendItem(toWellFormedItem(item), shape);
    if (mended !== null) layout.add(mended);
  }
  const items = layout.items();
  const [first] = items;
  if (shape.userFirst === true && first !== undefined)
    if (isAnswerPart(first) || first.type === 'tool_result') items.unshift(BEGINNING);
  const last = items.at(-1);
  if (shape.userLast === true && last !== undefined && isAnswerPart(last)) items.push(GO_ON);
  return shape.mergeRoles === true ? mergeRoles(items) : items;
}

const BEGINNING = userText('[What came before this point is not shown.]');
const GO_ON = userText('[Go on.]');

function userText(text: string): MessageItem {
  return { type: 'message', role: 'user', content: [{ type: 'text', text }] };
}

/** The item as it may be sent, apart from its place; null where nothing of it is left. */
function mendItem(item: Item, shape: RequestShape): Item | null {
  switch (item.type) {
    case 'message': {
      if (item.content.length === 0) return null;
      if (!item.content.some(isEmptyPart)) return item;
      const content = item.content.filter((part) => !isEmptyPart(part));
      return content.length === 0 ? null : { ...item, content };
    }
    case 'reasoning':
      return isReplayable(item, shape) ? item : null;
    case 'tool_call': {
      const name = isLegalName(item.name) ? item.name : toLegalName(item.name, 'unnamed');
      const text = isObjectText(item.arguments) ? item.arguments : '{}';
      if (name === item.name && text === item.arguments) return item;
      return { ...item, name, arguments: text };
    }
    case 'tool_result':
      if (item.summary.trim() !== '' || (item.content ?? '').trim() !== '') return item;
      return { ...item, summary: '(no output)' };
  }
}

/** Room is left for a number behind it. */
const LEGAL_UNITS = 56;

function toLegalName(name: string, nameless: string): string {
  const legal = name.slice(0, LEGAL_UNITS).replaceAll(/[^a-zA-Z0-9_-]/g, '_');
  return legal === '' ? nameless : legal;
}

/** One answer of the model: its parts, and behind them the results of its calls, in the order of the calls. */
type Answer = { readonly parts: Item[]; readonly results: Map<string, ToolResultItem | null> };

/** Puts items where they may stand. */
class Layout {
  readonly #pieces: (Item | Answer)[] = [];
  /** The answer that a further part still belongs to. */
  #current: Answer | null = null;
  /** Calls that wait for a result, by the id they came with; what they are sent as may differ. */
  readonly #waiting = new Map<string, { readonly answer: Answer; readonly sentAs: string }>();
  readonly #sentIds = new Set<string>();

  add(item: Item): void {
    if (item.type === 'tool_result') this.#addResult(item);
    else if (isAnswerPart(item)) this.#addPart(item);
    else {
      this.#current = null;
      this.#pieces.push(item);
    }
  }

  items(): Item[] {
    return this.#pieces.flatMap((piece) => ('parts' in piece ? answerItems(piece) : [piece]));
  }

  #addPart(item: Item): void {
    if (this.#current === null) {
      this.#current = { parts: [], results: new Map() };
      this.#pieces.push(this.#current);
    }
    const part = item.type === 'tool_call' ? this.#admitCall(item, this.#current) : item;
    if (part !== null) this.#current.parts.push(part);
  }

  // The same id twice in one answer is one call, told twice; in a later answer it is another call, which needs an id of its own.
  #admitCall(item: ToolCallItem, answer: Answer): ToolCallItem | null {
    if (this.#waiting.get(item.callId)?.answer === answer) return null;
    const id = isLegalName(item.callId) ? item.callId : toLegalName(item.callId, 'call');
    let sentAs = id;
    for (let n = 2; this.#sentIds.has(sentAs); n += 1) sentAs = `${id.slice(0, LEGAL_UNITS)}_${n}`;
    this.#sentIds.add(sentAs);
    this.#waiting.set(item.callId, { answer, sentAs });
    answer.results.set(sentAs, null);
    return sentAs === item.callId ? item : { ...item, callId: sentAs };
  }

  #addResult(item: ToolResultItem): void {
    const call = this.#waiting.get(item.callId);
    if (call === undefined) return;
    this.#waiting.delete(item.callId);
    if (call.answer === this.#current) this.#current = null;
    const sent = call.sentAs === item.callId ? item : { ...item, callId: call.sentAs };
    call.answer.results.set(call.sentAs, sent);
  }
}

function answerItems({ parts, results }: Answer): Item[] {
  let end = parts.length;
  // Providers refuse reasoning that nothing follows, which is what an answer cut off there leaves.
  while (parts[end - 1]?.type === 'reasoning') end -= 1;
  return [
    ...parts.slice(0, end),
    ...[...results].map(([callId, result]) => result ?? missingResult(callId)),
  ];
}

function missingResult(callId: string): ToolResultItem {
  return { type: 'tool_result', callId, summary: 'no result was recorded', isError: true };
}

function mergeRoles(items: readonly Item[]): Item[] {
  const merged: Item[] = [];
  for (const item of items) {
    const last = merged.at(-1);
    if (item.type === 'message' && last?.type === 'message' && last.role === item.role)
      merged[merged.length - 1] = mergeMessages(last, item);
    else merged.push(item);
  }
  return merged;
}

function mergeMessages(a: MessageItem, b: MessageItem): MessageItem {
  const cut = a.status === 'incomplete' || b.status === 'incomplete';
  return {
    type: 'message',
    role: a.role,
    content: [...a.content, ...b.content],
    ...(cut ? { status: 'incomplete' as const } : {}),
  };
}
