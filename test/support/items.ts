import type { Item, MessageItem, ToolCallItem, ToolResultItem } from '../../protocol/items.ts';

/** Items in one word each, for tables. */
export function user(text: string): MessageItem {
  return { type: 'message', role: 'user', content: [{ type: 'text', text }] };
}

export function system(text: string): MessageItem {
  return { type: 'message', role: 'system', content: [{ type: 'text', text }] };
}

export function said(text: string): MessageItem {
  return { type: 'message', role: 'assistant', content: [{ type: 'text', text }] };
}

/** An answer that was cut off. */
export function saidPart(text: string): MessageItem {
  return { ...said(text), status: 'incomplete' };
}

export function call(callId: string, args = '{}'): ToolCallItem {
  return { type: 'tool_call', callId, name: 'Read', arguments: args };
}

export function result(callId: string, content = 'content'): ToolResultItem {
  return { type: 'tool_result', callId, summary: `read ${callId}`, content };
}

export function thought(text: string): Item {
  return { type: 'reasoning', text };
}
