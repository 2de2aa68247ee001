import type { Item } from '../../protocol/items.ts';

/** What the model said last; the search ends at what the user said in between. Null: neither has said anything. */
export function lastAssistantText(items: readonly Item[]): string | null {
  const last = items.findLast((item) => item.type === 'message' && item.role !== 'system');
  if (last?.type !== 'message') return null;
  if (last.role !== 'assistant') return '';
  return last.content.map((part) => (part.type === 'text' ? part.text : part.refusal)).join('');
}
