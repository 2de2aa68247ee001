import type { Item } from '../../protocol/items.ts';

/** Results whose commit is still under way: the request may leave with them, its answer waits for them. */
export type Unsynced = { readonly items: readonly Item[]; readonly durable: Promise<void> };

export const SYNCED: Unsynced = { items: [], durable: Promise.resolve() };
