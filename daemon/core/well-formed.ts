import type { Item } from '../../protocol/items.ts';

/*
 * JSON can hold half of a surrogate pair, UTF-8 can't: providers refuse a request with one, again and again. What a
 * client, a template or a model said keeps it in the log; what is sent has U+FFFD in its place, as encoders put there.
 */

/** In JSON text: the escape of a half. `JSON.stringify` writes whole pairs as they are. */
const HALF = /(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/gi;
/** Cheap to look for; what has none of it needs no parsing. */
const SURROGATE = /\\ud[89a-f]/i;

export function isWellFormedItem(item: Item): boolean {
  switch (item.type) {
    case 'message':
      return item.content.every((part) =>
        (part.type === 'text' ? part.text : part.refusal).isWellFormed(),
      );
    case 'reasoning':
      return item.text.isWellFormed();
    case 'tool_call':
      return isWellFormedJson(item.arguments);
    case 'tool_result':
      return item.summary.isWellFormed() && (item.content ?? '').isWellFormed();
  }
}

/** The same item where nothing is wrong with it. Reasoning is not changed: a signature may vouch for it. */
export function toWellFormedItem<T extends Item>(item: T): T;
export function toWellFormedItem(item: Item): Item {
  if (isWellFormedItem(item)) return item;
  switch (item.type) {
    case 'message':
      return {
        ...item,
        content: item.content.map((part) =>
          part.type === 'text'
            ? { ...part, text: part.text.toWellFormed() }
            : { ...part, refusal: part.refusal.toWellFormed() },
        ),
      };
    case 'reasoning':
      return item;
    case 'tool_call':
      return { ...item, arguments: toWellFormedJson(item.arguments) };
    case 'tool_result': {
      const { summary, content } = item;
      return {
        ...item,
        summary: summary.toWellFormed(),
        ...(content === undefined ? {} : { content: content.toWellFormed() }),
      };
    }
  }
}

function isWellFormedJson(text: string): boolean {
  return text.isWellFormed() && (!SURROGATE.test(text) || toWellFormedJson(text) === text);
}

/** Text that is no JSON is left to who reads it. */
function toWellFormedJson(text: string): string {
  const whole = text.toWellFormed();
  try {
    const plain = JSON.stringify(JSON.parse(whole));
    const mended = plain.replaceAll(HALF, '$1\uFFFD');
    return mended === plain ? whole : mended;
  } catch {
    return whole;
  }
}
