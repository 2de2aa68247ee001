import type { Item } from '../../protocol/items.ts';

/** All that a model reads of items, in one text. */
export function allText(items: readonly Item[]): string {
  return items.map(textOf).join('\n');
}

function textOf(item: Item): string {
  switch (item.type) {
    case 'message':
      return item.content.map((part) => (part.type === 'text' ? part.text : part.refusal)).join('');
    case 'tool_call':
      return item.arguments;
    case 'tool_result':
      return `${item.summary}\n${item.content ?? ''}`;
    case 'reasoning':
      return item.text;
  }
}
