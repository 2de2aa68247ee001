import type { Item } from '../../protocol/items.ts';

/** UTF-8 bytes of what a model reads of an item; the frame around it is left to the calibration. */
export function itemBytes(item: Item): number {
  switch (item.type) {
    case 'message':
      return item.content.reduce(
        (sum, part) => sum + utf8Bytes(part.type === 'text' ? part.text : part.refusal),
        0,
      );
    case 'tool_call':
      return utf8Bytes(item.name) + utf8Bytes(item.arguments);
    case 'tool_result':
      return utf8Bytes(item.summary) + utf8Bytes(item.content ?? '');
    case 'reasoning':
      return utf8Bytes(item.text);
  }
}

function utf8Bytes(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}
