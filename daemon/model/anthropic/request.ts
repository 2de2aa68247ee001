import type {
  ContentBlockParam,
  MessageCreateParamsStreaming,
  TextBlockParam,
} from '@anthropic-ai/sdk/resources/messages/messages';
import type { Item, MessageItem, ToolResultItem } from '../../../protocol/items.ts';
import { parseArgumentsObject } from '../../core/call-arguments.ts';
import type { ModelRequest } from '../../ports/model.ts';

/** What of a reasoning block the API wants back as it came. */
export type AnthropicOpaque =
  | { readonly kind: 'thinking'; readonly signature: string }
  | { readonly kind: 'redacted'; readonly data: string };

export type RequestOptions = { readonly model: string; readonly maxTokens: number };

type Message = { readonly role: 'user' | 'assistant'; readonly content: ContentBlockParam[] };

const CACHED = { type: 'ephemeral' } as const;
/** Breakpoints on messages: with those on the prompt and the tools, the four that the API takes (PROV-8). */
const CACHED_MESSAGES = 2;

/** Pure. The body of a request: consecutive parts of one side are one message, and the prefix is marked for the cache. */
export function toAnthropicRequest(
  { systemPrompt, tools, items }: ModelRequest,
  { model, maxTokens }: RequestOptions,
): MessageCreateParamsStreaming {
  const messages: Message[] = [];
  for (const item of items) {
    const role = isAnswerPart(item) ? 'assistant' : 'user';
    let last = messages.at(-1);
    if (last?.role !== role) messages.push((last = { role, content: [] }));
    last.content.push(...toBlocks(item));
  }
  markForCache(messages);
  return {
    model,
    max_tokens: maxTokens,
    stream: true,
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

// Models before the newest take no system message behind the first one.
function toTexts({ role, content }: MessageItem): TextBlockParam[] {
  return content.map((part) => {
    const text = part.type === 'text' ? part.text : part.refusal;
    return { type: 'text', text: role === 'system' ? `<system>\n${text}\n</system>` : text };
  });
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
  for (const { content } of messages
    .filter(({ role }) => role === 'user')
    .slice(-CACHED_MESSAGES)) {
    const last = content.pop();
    if (last !== undefined) content.push({ ...last, cache_control: CACHED } as ContentBlockParam);
  }
}
