import type { Item } from '../../protocol/items.ts';
import { isAnswerPart } from './checked-items.ts';
import type { PruneSettings } from './compaction-settings.ts';
import type { ReadonlySizes } from './history-sizes.ts';

export type Prunable = {
  readonly items: readonly Item[];
  readonly sizes: ReadonlySizes;
  /** Content of results before it is left out already. */
  readonly mark: number;
  /** Null: nothing was measured yet. */
  readonly tokensPerByte: number | null;
};

/**
 * Pure. Where the prune mark moves to, or null: it stays. It moves rarely, since each move makes the provider read anew what
 * lies behind it (PRUNE-2). Costs what is protected, not what the history has.
 */
export function planPrune(prunable: Prunable, settings: PruneSettings): number | null {
  const { sizes, mark, tokensPerByte } = prunable;
  if (tokensPerByte === null) return null;
  const to = protectedFrom(prunable, settings, tokensPerByte);
  const saved = sizes.savedBetween(mark, to) * tokensPerByte;
  return to > mark && saved > 0 && saved >= settings.minSavings ? to : null;
}

/** The first index that stays whole: the last user turns, of a long one only its end, and what no model has answered yet. */
function protectedFrom(
  { items, sizes, mark }: Prunable,
  { protectedTurns, protectedTokens }: PruneSettings,
  tokensPerByte: number,
): number {
  let from = items.length;
  while (from > mark && !isAnswer(items[from - 1])) from -= 1;
  let turns = 0;
  let end = items.length;
  for (let index = items.length - 1; turns < protectedTurns; index -= 1) {
    if (index < mark) return mark;
    const tokens = (sizes.bytesAt(end) - sizes.bytesAt(index)) * tokensPerByte;
    if (tokens > protectedTokens) return Math.min(from, index + 1);
    from = Math.min(from, index);
    const item = items[index];
    if (item?.type !== 'message' || item.role !== 'user') continue;
    turns += 1;
    end = index;
  }
  return from;
}

function isAnswer(item: Item | undefined): boolean {
  return item !== undefined && isAnswerPart(item);
}
