import * as v from 'valibot';

/**
 * Items: what a conversation is made of, as a model sees it and as the log keeps it.
 * They are plain JSON data. Once an item is committed it never changes.
 */

const Text = v.strictObject({ type: v.literal('text'), text: v.string() });
const Refusal = v.strictObject({ type: v.literal('refusal'), refusal: v.string() });

export const MessageItem = v.strictObject({
  type: v.literal('message'),
  role: v.picklist(['user', 'assistant', 'system']),
  content: v.array(v.variant('type', [Text, Refusal])),
  /** Missing means complete. `incomplete`: the answer was cut off, by a cancel or a limit. */
  status: v.optional(v.picklist(['complete', 'incomplete'])),
});

/** `arguments` is JSON text, always of an object; a call without arguments has `{}`. */
export const ToolCallItem = v.strictObject({
  type: v.literal('tool_call'),
  callId: v.string(),
  name: v.string(),
  arguments: v.string(),
});

/** What a call read or wrote. `hash` is the SHA-256 of the whole file, in hex; `path` is canonical. */
export const FileTouch = v.strictObject({
  path: v.string(),
  hash: v.string(),
  op: v.picklist(['read', 'write']),
});

/** `summary` is one or two lines and survives pruning, `content` is the detail. `files` never reaches a model. */
export const ToolResultItem = v.strictObject({
  type: v.literal('tool_result'),
  callId: v.string(),
  summary: v.string(),
  content: v.optional(v.string()),
  isError: v.optional(v.boolean()),
  files: v.optional(v.array(FileTouch)),
});

/** `opaque` is the provider's signature or encrypted block; it is replayed to that provider and model only. */
export const ReasoningItem = v.strictObject({
  type: v.literal('reasoning'),
  text: v.string(),
  opaque: v.optional(
    v.strictObject({ provider: v.string(), model: v.string(), data: v.unknown() }),
  ),
});

export const Item = v.variant('type', [MessageItem, ToolCallItem, ToolResultItem, ReasoningItem]);

export type Item = v.InferOutput<typeof Item>;
export type MessageItem = v.InferOutput<typeof MessageItem>;
export type ToolCallItem = v.InferOutput<typeof ToolCallItem>;
export type ToolResultItem = v.InferOutput<typeof ToolResultItem>;
export type FileTouch = v.InferOutput<typeof FileTouch>;
