import type { Item } from '../../protocol/items.ts';
import { headLength } from '../core/compaction-layout.ts';
import { itemBytes } from '../core/item-bytes.ts';
import { measuredOf } from '../core/occupancy.ts';
import type { SessionState } from '../core/session-state.ts';
import { calibrate } from '../core/tokens.ts';

/** What fills the window, for whoever has to make room in it (COMP-14). */
export function sayWhatFills(
  session: SessionState,
  tokens: number,
  threshold: number | null,
): string {
  const { items, sizes, pruneMark } = session;
  const { tokensPerByte, constantTokens } = calibrate(measuredOf(session));
  const toTokens = (bytes: number): number => Math.round(bytes * tokensPerByte);
  const head = headLength(items);
  const headTokens = toTokens(sizes.bytesAt(head, pruneMark));
  const rest = toTokens(sizes.bytesAt(items.length, pruneMark) - sizes.bytesAt(head, pruneMark));
  const largest = items
    .slice(head)
    .reduce<Item | null>(
      (most, item) => (most === null || itemBytes(item) > itemBytes(most) ? item : most),
      null,
    );
  const over = threshold === null ? '' : `, at most ${threshold} may go into a request`;
  const parts = [
    `system prompt and tools ${Math.round(constantTokens)}`,
    ...(head === 0 ? [] : [`summary and files ${headTokens}`]),
    `the newest items (${items.length - head}) ${rest}`,
    ...(largest === null
      ? []
      : [`the largest of them (${nameOf(largest)}) ${toTokens(itemBytes(largest))}`]),
  ];
  return `there is nothing left to compact: the context has about ${tokens} tokens${over}; ${parts.join(', ')}`;
}

function nameOf(item: Item): string {
  switch (item.type) {
    case 'message':
      return `a message of the ${item.role}`;
    case 'tool_call':
      return `a call of ${item.name}`;
    case 'tool_result':
      return 'a tool result';
    case 'reasoning':
      return 'reasoning';
  }
}
