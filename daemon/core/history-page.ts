import type { Item } from '../../protocol/items.ts';

export type HistoryPage = {
  readonly items: Item[];
  readonly from: number;
  readonly total: number;
  readonly next?: number;
};

/** A page from `from` on: as many items as both limits allow, but at least one, so that a reader always gets on. */
export function pageOf(
  items: readonly Item[],
  from: number,
  limits: { readonly items: number; readonly bytes: number },
): HistoryPage {
  const page: Item[] = [];
  let bytes = 0;
  for (let index = from; index < items.length && page.length < limits.items; index += 1) {
    const item = items[index];
    if (item === undefined) break;
    bytes += Buffer.byteLength(JSON.stringify(item), 'utf8') + 1;
    if (bytes > limits.bytes && page.length > 0) break;
    page.push(item);
  }
  const next = from + page.length;
  return { items: page, from, total: items.length, ...(next < items.length ? { next } : {}) };
}
