import type { Item } from '../../protocol/items.ts';
import { isAnswerPart } from './checked-items.ts';

/**
 * The first index from which the tail is worth at most `retained` tokens (TOK-2); the history's length for an empty tail. The
 * cut parts no call from its result and no answer in two, and leaves in the tail what nobody has answered yet. Where these leave
 * nothing small enough, the smallest that there is.
 *
 * @param keeps - `messages`: results that no model has answered may be cut off too, where they alone would be too much.
 * @param tokensFrom - tokens of the items from an index on; it does not rise with the index.
 */
export function splitForRetained(
  items: readonly Item[],
  tokensFrom: (index: number) => number,
  retained: number,
  keeps: 'unanswered' | 'messages' = 'unanswered',
): number {
  let best: number | null = null;
  for (const cut of legalCuts(items, lastCut(items, keeps))) {
    if (best !== null && tokensFrom(cut) > retained) break;
    best = cut;
  }
  return best ?? 0;
}

/** Where a history may be cut, last first; 0 always. */
function* legalCuts(items: readonly Item[], last: number): Generator<number> {
  const waiting = new Set<string>();
  for (let index = items.length; index >= 0; index -= 1) {
    const item = items[index];
    if (item?.type === 'tool_result') waiting.add(item.callId);
    else if (item?.type === 'tool_call') waiting.delete(item.callId);
    const before = items[index - 1];
    const isInAnswer =
      item !== undefined && before !== undefined && isAnswerPart(item) && isAnswerPart(before);
    if (index <= last && waiting.size === 0 && !isInAnswer) yield index;
  }
}

/** Calls without results stay, and what no model has answered yet: a message of the user, or the results of its calls. */
function lastCut(items: readonly Item[], keeps: 'unanswered' | 'messages'): number {
  const done = new Set(items.flatMap((item) => (item.type === 'tool_result' ? item.callId : [])));
  const open = items.findIndex((item) => item.type === 'tool_call' && !done.has(item.callId));
  const answered = items.findLastIndex(isAnswerPart);
  const isKept = keeps === 'messages' ? isUserMessage : isOfUser;
  const unanswered = items.findIndex((item, index) => index > answered && isKept(item));
  return Math.min(...[open, unanswered].filter((index) => index >= 0), items.length);
}

/** Results are of the user's side too; the cut before them is that before their calls. */
function isOfUser(item: Item): boolean {
  return item.type === 'tool_result' || isUserMessage(item);
}

function isUserMessage(item: Item): boolean {
  return item.type === 'message' && item.role === 'user';
}
