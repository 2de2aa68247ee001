import type { Item } from '../../protocol/items.ts';

/** What stands where the content of an old tool result was. */
const LEFT_OUT = '[left out to save room; call the tool again if it is needed]';

/** How a request has an item that lies before the prune mark (PRUNE-1): a result keeps its summary. */
export function pruneItem(item: Item): Item {
  if (item.type !== 'tool_result' || savedBytes(item) === 0) return item;
  return { ...item, content: LEFT_OUT };
}

/** UTF-8 bytes that pruning the item saves; 0 for all but results with some content. */
export function savedBytes(item: Item): number {
  if (item.type !== 'tool_result' || item.content === undefined) return 0;
  return Math.max(0, Buffer.byteLength(item.content, 'utf8') - LEFT_OUT.length);
}

/**
 * A history as requests have it. It keeps what it made, so that a request costs what is new since the last one, and an
 * item that was sent before is the same object again.
 */
export class PrunedItems {
  #source: readonly Item[] = [];
  #mark: number | null = null;
  #made: Item[] = [];

  /** Of the last request; null before the first. */
  get mark(): number | null {
    return this.#mark;
  }

  /** `items` only grows; another list, or another mark, is begun anew. Not to be kept: the next call may extend it. */
  of(items: readonly Item[], mark: number): readonly Item[] {
    if (mark === 0) {
      this.#mark = 0;
      return items;
    }
    if (items !== this.#source || mark !== this.#mark || this.#made.length === 0) {
      this.#source = items;
      this.#mark = mark;
      this.#made = items.slice(0, mark).map(pruneItem);
    }
    for (let index = this.#made.length; index < items.length; index += 1) {
      const item = items[index];
      if (item !== undefined) this.#made.push(item);
    }
    return this.#made;
  }
}
