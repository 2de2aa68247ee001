import type {
  ContentBlockParam,
  MessageCreateParamsStreaming,
  TextBlockParam,
  ThinkingConfigParam,
} from '@anthropic-ai/sdk/resources/messages/messages';
import type { Item, MessageItem, ToolResultItem } from '../../../protocol/items.ts';
import { parseArgumentsObject } from '../../core/call-arguments.ts';
import type { ModelRequest } from '../../ports/model.ts';
import type { Settings } from './settings.ts';

/** What of a reasoning block the API wants back as it came. */
export type AnthropicOpaque =
  | { readonly kind: 'thinking'; readonly signature: string }
  | { readonly kind: 'redacted'; readonly data: string };

type Message =
  | { readonly role: 'user' | 'assistant'; readonly content: ContentBlockParam[] }
  | { readonly role: 'system'; readonly content: TextBlockParam[] };

const CACHED = { type: 'ephemeral' } as const;
/** The most that the API takes (PROV-8). */
const BREAKPOINTS = 4;

/** Pure. The body of a request: consecutive parts of one side are one message, and the prefix is marked for the cache. */
export function toAnthropicRequest(
  request: ModelRequest,
  model: string,
  settings: Settings,
): MessageCreateParamsStreaming {
  const { systemPrompt, tools, sampling } = request;
  const { messages, ends } = layOut(request, settings.systemMessages);
  const marks = planMarks(request, messages, ends);
  for (const { message, block } of marks.blocks) markBlock(messages, message, block);
  // Who is told how to answer is not to think about it at length.
  const thinking = sampling === undefined ? fittingThinking(messages, settings.thinking) : null;
  const { maxTokens } = settings;
  return {
    model,
    max_tokens: sampling === undefined ? maxTokens : Math.min(maxTokens, sampling.maxTokens),
    stream: true,
    ...(thinking === null ? {} : { thinking }),
    ...(settings.effort === null ? {} : { output_config: { effort: settings.effort } }),
    ...(settings.stop.length === 0 ? {} : { stop_sequences: [...settings.stop] }),
    ...(systemPrompt === ''
      ? {}
      : {
          system: [
            {
              type: 'text',
              text: systemPrompt,
              ...(marks.system ? { cache_control: CACHED } : {}),
            },
          ],
        }),
    ...(tools.length === 0
      ? {}
      : {
          tools: tools.map(({ name, description, parameters }, index) => ({
            name,
            description,
            input_schema: { ...parameters, type: 'object' as const },
            ...(index === tools.length - 1 && marks.tools ? { cache_control: CACHED } : {}),
          })),
        }),
    messages,
  };
}

/** Where an item ends: the last of its blocks. */
type Place = { readonly message: number; readonly block: number };

/** `ends` has one place an item; of an item without blocks, that of the one before it. */
function layOut(
  { items }: ModelRequest,
  systemMessages: boolean,
): { readonly messages: Message[]; readonly ends: readonly Place[] } {
  const messages: Message[] = [];
  const ends: Place[] = [];
  for (const index of items.keys()) {
    addItem(messages, items, index, systemMessages);
    const message = messages.length - 1;
    ends.push({ message, block: (messages[message]?.content.length ?? 0) - 1 });
  }
  return { messages, ends };
}

function addItem(
  messages: Message[],
  items: readonly Item[],
  index: number,
  systemMessages: boolean,
): void {
  const item = items[index];
  if (item === undefined) return;
  const last = messages.at(-1);
  if (isSystem(item)) {
    const texts = toTexts(item);
    // The API takes one right behind a user's message, and an answer or nothing behind that.
    if (last?.role === 'system') {
      last.content.push(...texts);
      return;
    }
    if (systemMessages && last?.role === 'user' && opensNoUserMessage(items, index)) {
      messages.push({ role: 'system', content: texts });
      return;
    }
  }
  const role = isAnswerPart(item) ? 'assistant' : 'user';
  const blocks = isSystem(item) ? toTexts(item).map(marked) : toBlocks(item);
  if (last?.role === role) last.content.push(...blocks);
  else messages.push({ role, content: blocks });
}

function isSystem(item: Item): item is MessageItem {
  return item.type === 'message' && item.role === 'system';
}

function opensNoUserMessage(items: readonly Item[], index: number): boolean {
  const next = items.slice(index + 1).find((item) => !isSystem(item));
  return next === undefined || isAnswerPart(next);
}

/** What stands for a system message where the API has none. */
function marked({ text }: TextBlockParam): TextBlockParam {
  return { type: 'text', text: `<system>\n${text}\n</system>` };
}

/**
 * With a budget the API wants the calls that it is to go on from to begin with thinking. Those of another model, or of a
 * time without a budget, don't: then it goes on without, until they are done.
 */
function fittingThinking(
  messages: readonly Message[],
  thinking: ThinkingConfigParam | null,
): ThinkingConfigParam | null {
  if (thinking?.type !== 'enabled') return thinking;
  // The loop since the user's own last words is one turn: it is of one mind.
  const begun = messages.findLastIndex(
    ({ role, content }) => role === 'user' && content.some(({ type }) => type !== 'tool_result'),
  );
  const answer = messages.slice(begun + 1).find(({ role }) => role === 'assistant');
  const types = (answer?.content ?? []).map(({ type }) => type);
  const [first] = types;
  const thought = first === 'thinking' || first === 'redacted_thinking';
  return types.includes('tool_use') && !thought ? null : thinking;
}

function isAnswerPart(item: Item): boolean {
  return item.type === 'message' ? item.role === 'assistant' : item.type !== 'tool_result';
}

function toBlocks(item: Item): ContentBlockParam[] {
  switch (item.type) {
    case 'message':
      return toTexts(item);
    case 'tool_call': {
      const input = parseArgumentsObject(item.arguments);
      return [
        {
          type: 'tool_use',
          id: item.callId,
          name: item.name,
          input: input.ok ? input.value : {},
        },
      ];
    }
    case 'tool_result':
      return [toResult(item)];
    case 'reasoning':
      return toThinking(item);
  }
}

function toTexts({ content }: MessageItem): TextBlockParam[] {
  return content.map((part) => ({
    type: 'text',
    text: part.type === 'text' ? part.text : part.refusal,
  }));
}

function toResult({ callId, summary, content, isError }: ToolResultItem): ContentBlockParam {
  const text = [summary, content ?? ''].filter((part) => part !== '').join('\n');
  return {
    type: 'tool_result',
    tool_use_id: callId,
    content: text,
    ...(isError === true ? { is_error: true } : {}),
  };
}

function toThinking({ text, opaque }: Extract<Item, { type: 'reasoning' }>): ContentBlockParam[] {
  const data = (opaque?.data ?? null) as AnthropicOpaque | null;
  if (data === null) return [];
  return data.kind === 'redacted'
    ? [{ type: 'redacted_thinking', data: data.data }]
    : [{ type: 'thinking', thinking: text, signature: data.signature }];
}

type Marks = {
  readonly system: boolean;
  readonly tools: boolean;
  readonly blocks: readonly Place[];
};

/**
 * Where the prefix is marked for the cache. At the ends of the last two messages of the user's side: what stands before one is then
 * found again by the next request, however many blocks come between. And where it stays as it is for long: at the system prompt, which
 * has the tools before it, at the summary of a compacted history, and at the end of what was left out. In the request that leaves out more
 * the place before is read and the new one written; the message before the last has changed with what is before it.
 */
function planMarks(
  { items, pruned, passing = 0 }: ModelRequest,
  messages: readonly Message[],
  ends: readonly Place[],
): Marks {
  // What is gone from the next request would spoil a mark behind it.
  const lasting = ends.slice(0, items.length - passing);
  const [first] = items;
  const anchor = first !== undefined && isSystem(first) ? lasting[0] : undefined;
  const boundary = (count: number): Place | undefined => markable(messages, lasting, count);
  const now = pruned === undefined ? undefined : boundary(pruned.now);
  const moved = pruned !== undefined && pruned.before < pruned.now && now !== undefined;
  const before = moved && pruned.before > 0 ? boundary(pruned.before) : undefined;
  const recent = userEnds(messages, lasting).slice(moved ? -1 : -2);
  const blocks = [anchor, before, now, ...recent].filter((place) => place !== undefined);
  const left = BREAKPOINTS - blocks.length;
  return { system: left > 0, tools: left > 1 && anchor === undefined && now === undefined, blocks };
}

/** The end of what comes before so many items; thinking takes no mark, so that one before it stands for it. */
function markable(
  messages: readonly Message[],
  ends: readonly Place[],
  count: number,
): Place | undefined {
  return ends.slice(0, count).findLast(({ message, block }) => {
    const type = messages[message]?.content[block]?.type;
    return type === 'text' || type === 'tool_use' || type === 'tool_result';
  });
}

/** The ends of the user's messages, as far as they last. */
function userEnds(messages: readonly Message[], ends: readonly Place[]): Place[] {
  const last = new Map<number, Place>();
  for (const place of ends)
    if (messages[place.message]?.role === 'user') last.set(place.message, place);
  return [...last.values()];
}

function markBlock(messages: readonly Message[], message: number, block: number): void {
  const content = messages[message]?.content as ContentBlockParam[] | undefined;
  const one = content?.[block];
  if (content !== undefined && one !== undefined)
    content[block] = { ...one, cache_control: CACHED } as ContentBlockParam;
}
