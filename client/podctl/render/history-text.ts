import type { Item } from '../../../protocol/items.ts';
import { oneLine, type Style } from './style.ts';

const CALL_UNITS = 160;
const REASONING_UNITS = 160;

/** An item as people read it; a text is whole, all else is a line. */
export function renderItem(item: Item, style: Style): string {
  switch (item.type) {
    case 'message':
      return renderMessage(item, style);
    case 'tool_call':
      return `→ ${oneLine(item.name, CALL_UNITS)} ${style.dim(oneLine(item.arguments, CALL_UNITS))}\n`;
    case 'tool_result': {
      const line = oneLine(item.summary, CALL_UNITS);
      return item.isError === true
        ? style.red(`  ✗ ${line}`) + '\n'
        : `${style.dim(`  ${line}`)}\n`;
    }
    case 'reasoning':
      return item.text === ''
        ? ''
        : `${style.dim(`(thinks) ${oneLine(item.text, REASONING_UNITS)}`)}\n`;
  }
}

/** Who said it stands before what is not the model's. */
function renderMessage(
  { role, content, status }: Extract<Item, { type: 'message' }>,
  style: Style,
): string {
  const text = content
    .map((part) => (part.type === 'text' ? part.text : `(refused) ${part.refusal}`))
    .join('\n');
  const cut = status === 'incomplete' ? ` ${style.dim('(cut off)')}` : '';
  const whole = `${style.clean(text).trimEnd()}${cut}\n`;
  if (role === 'assistant') return whole;
  const mark = role === 'user' ? '> ' : '# ';
  return `${style.bold(mark)}${whole.trimEnd().replaceAll('\n', `\n${mark}`)}\n`;
}
