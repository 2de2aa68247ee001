import { blocksOf, type MessagesBody } from './messages-api.ts';

/** A request as its provider's cache sees it: text by text in the order of a prompt, without the marks. */
export type SentPrefix = {
  /** What holds for all of it, tools, system prompt, and each block of each message with the place it has there. */
  readonly texts: readonly string[];
  /** How many of them lie before the last mark, with the one that carries it. */
  readonly upToMark: number;
};

export function prefixOf(body: MessagesBody): SentPrefix {
  const { model, thinking = null, tools = [], system = [], messages = [] } = body;
  const texts = [JSON.stringify({ model, thinking })];
  let upToMark = 0;
  const add = (place: string, block: Readonly<Record<string, unknown>>): void => {
    const { cache_control: mark, ...rest } = block;
    texts.push(`${place} ${JSON.stringify(rest)}`);
    if (mark !== undefined) upToMark = texts.length;
  };
  for (const tool of tools) add('tool', tool);
  for (const block of system) add('system', block);
  for (const [index, message] of messages.entries())
    for (const block of blocksOf(message)) add(`${index} ${message.role}`, block);
  return { texts, upToMark };
}

/** The first text of what lies before the last mark of `before` that is another one in `after`; null: they are all there. */
export function firstChange(before: SentPrefix, after: SentPrefix): number | null {
  const index = before.texts
    .slice(0, before.upToMark)
    .findIndex((text, at) => after.texts[at] !== text);
  return index === -1 ? null : index;
}
