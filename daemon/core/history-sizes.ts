import type { Item } from '../../protocol/items.ts';
import { itemBytes } from './item-bytes.ts';
import { savedBytes } from './pruned-items.ts';

/** What readers see of `HistorySizes`. */
export type ReadonlySizes = Pick<HistorySizes, 'length' | 'bytesAt' | 'savedBetween'>;

/** UTF-8 bytes of a history that only grows, as a model reads it: each item is measured once, each question costs O(1). */
export class HistorySizes {
  readonly #bytes = [0];
  readonly #saved = [0];

  static of(items: readonly Item[]): HistorySizes {
    const sizes = new HistorySizes();
    for (const item of items) sizes.add(item);
    return sizes;
  }

  get length(): number {
    return this.#bytes.length - 1;
  }

  add(item: Item): void {
    this.#bytes.push(at(this.#bytes, this.length) + itemBytes(item));
    this.#saved.push(at(this.#saved, this.#saved.length - 1) + savedBytes(item));
  }

  /** Of the first `index` items, as a request has them whose prune mark is `mark`. */
  bytesAt(index: number, mark = 0): number {
    const end = Math.min(Math.max(0, index), this.length);
    return at(this.#bytes, end) - at(this.#saved, Math.min(end, mark));
  }

  /** What moving the mark saves. */
  savedBetween(from: number, to: number): number {
    const end = Math.min(to, this.length);
    return Math.max(0, at(this.#saved, end) - at(this.#saved, Math.min(from, end)));
  }
}

function at(sums: readonly number[], index: number): number {
  return sums[index] ?? 0;
}
