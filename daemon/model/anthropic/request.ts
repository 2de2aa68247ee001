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
/** Breakpoints on messages: with those on the prompt and the tools, the four that the API takes (PROV-8). */
const CACHED_MESSAGES = 2;

/** Pure. The body of a request: consecutive parts of one side are one message, and the prefix is marked for the cache. */
export function toAnthropicRequest(
  { systemPrompt, tools, items, passing = 0 }: ModelRequest,
  model: string,
  settings: Settings,
): MessageCreateParamsStreaming {
  const messages: Message[] = [];
  const lasting = items.length - passing;
  addMessages(messages, items, settings.systemMessages, [0, lasting]);
  // What is gone from the next request would spoil a mark behind it.
  markForCache(messages);
  addMessages(messages, items, settings.systemMessages, [lasting, items.length]);
  const thinking = fittingThinking(messages, settings.thinking);
  return {
    model,
    max_tokens: settings.maxTokens,
    stream: true,
    ...(thinking === null ? {} : { thinking }),
    ...(settings.effort === null ? {} : { output_config: { effort: settings.effort } }),
    ...(settings.stop.length === 0 ? {} : { stop_sequences: [...settings.stop] }),
    ...(systemPrompt === ''
      ? {}
      : { system: [{ type: 'text', text: systemPrompt, cache_control: CACHED }] }),
    ...(tools.length === 0
      ? {}
      : {
          tools: tools.map(({ name, description, parameters }, index) => ({
            name,
            description,
            input_schema: { ...parameters, type: 'object' as const },
            ...(index === tools.length - 1 ? { cache_control: CACHED } : {}),
          })),
        }),
    messages,
  };
}

function addMessages(
  messages: Message[],
  all: readonly Item[],
  systemMessages: boolean,
  [from, to]: readonly [from: number, to: number],
): void {
  for (const [offset, item] of all.slice(from, to).entries()) {
    const last = messages.at(-1);
    if (isSystem(item)) {
      const texts = toTexts(item);
      // The API takes one right behind a user's message, and an answer or nothing behind that.
      if (last?.role === 'system') {
        last.content.push(...texts);
        continue;
      }
      if (systemMessages && last?.role === 'user' && opensNoUserMessage(all, from + offset)) {
        messages.push({ role: 'system', content: texts });
        continue;
      }
    }
    const role = isAnswerPart(item) ? 'assistant' : 'user';
    const blocks = isSystem(item) ? toTexts(item).map(marked) : toBlocks(item);
    if (last?.role === role) last.content.push(...blocks);
    else messages.push({ role, content: blocks });
  }
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

/** At the end of each: what stands before it is then found again by the next request, however many blocks come between. */
function markForCache(messages: readonly Message[]): void {
  const ofUser = messages.flatMap(({ role, content }) => (role === 'user' ? [content] : []));
  for (const content of ofUser.slice(-CACHED_MESSAGES)) {
    const last = content.pop();
    if (last !== undefined) content.push({ ...last, cache_control: CACHED } as ContentBlockParam);
  }
}
