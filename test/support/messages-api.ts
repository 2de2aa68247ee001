/** What the Messages API refuses, of what its clients are known to get wrong: by its reference and its error messages. */

type Block = Readonly<Record<string, unknown>> & { readonly type: string };
type Message = { readonly role: string; readonly content: readonly Block[] | string };
export type MessagesBody = Readonly<Record<string, unknown>> & {
  readonly messages?: readonly Message[];
  readonly system?: readonly Block[];
  readonly tools?: readonly Block[];
};

/** Half of a surrogate pair, which `JSON.stringify` alone writes as an escape. */
const HALF_PAIR = /(?<!\\)(?:\\\\)*\\ud[89a-f][0-9a-f]{2}/;

/** The message of its 400, or null for a body that it takes. */
export function refusalOf(body: MessagesBody): string | null {
  const { messages } = body;
  if (HALF_PAIR.test(JSON.stringify(body)))
    return 'The request body is not valid JSON: no low surrogate in string';
  if (typeof body['model'] !== 'string') return 'model: Field required';
  if (typeof body['max_tokens'] !== 'number') return 'max_tokens: Field required';
  if (messages === undefined || messages.length === 0)
    return 'messages: at least one message is required';
  for (const name of ['temperature', 'top_p', 'top_k'])
    if (name in body) return `${name}: Extra inputs are not permitted`;
  return (
    thinkingRefusal(body, messages) ??
    markRefusal(body, messages) ??
    orderRefusal(messages) ??
    pairRefusal(messages) ??
    textRefusal([...(body.system ?? []), ...messages.flatMap(blocksOf)])
  );
}

export function blocksOf({ content }: Message): readonly Block[] {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content;
}

function thinkingRefusal(body: MessagesBody, messages: readonly Message[]): string | null {
  const thinking = body['thinking'] as { type?: unknown; budget_tokens?: unknown } | undefined;
  if (thinking?.type !== 'enabled') return null;
  const budget = Number(thinking.budget_tokens);
  if (!(budget >= 1024)) return 'thinking.enabled.budget_tokens: Input should be at least 1024';
  if (budget >= Number(body['max_tokens']))
    return '`max_tokens` must be greater than `thinking.budget_tokens`';
  const begun = messages.findLastIndex(
    (m) => m.role === 'user' && blocksOf(m).some(({ type }) => type !== 'tool_result'),
  );
  const answer = messages.slice(begun + 1).find(({ role }) => role === 'assistant');
  const types = (answer === undefined ? [] : blocksOf(answer)).map(({ type }) => type);
  const [first] = types;
  return types.includes('tool_use') && first !== 'thinking' && first !== 'redacted_thinking'
    ? `Expected \`thinking\` or \`redacted_thinking\`, but found \`${first ?? ''}\``
    : null;
}

function markRefusal(body: MessagesBody, messages: readonly Message[]): string | null {
  const all = [...(body.tools ?? []), ...(body.system ?? []), ...messages.flatMap(blocksOf)];
  const marks = all.filter((block) => 'cache_control' in block).length;
  return marks > 4
    ? `A maximum of 4 blocks with cache_control may be provided. Found ${marks}.`
    : null;
}

function orderRefusal(messages: readonly Message[]): string | null {
  if (messages[0]?.role !== 'user') return 'messages: first message must use the "user" role';
  if (messages.at(-1)?.role === 'assistant')
    return 'This model does not support assistant message prefill. The conversation must end with a user message.';
  for (const [index, message] of messages.entries()) {
    if (message.role !== 'system') continue;
    const [before, after] = [messages[index - 1]?.role, messages[index + 1]?.role];
    if (before !== 'user') return `messages.${index}: role 'system' must follow a user turn`;
    if (after !== undefined && after !== 'assistant')
      return `messages.${index}: role 'system' must precede an assistant turn`;
  }
  return null;
}

/** Each call's result is in the message behind it, before anything else, and nothing has a result that was not called. */
function pairRefusal(messages: readonly Message[]): string | null {
  const seen = new Set<string>();
  let waiting: string[] = [];
  for (const [index, message] of messages.entries()) {
    const blocks = blocksOf(message);
    const results = blocks.flatMap((block) =>
      block.type === 'tool_result' ? [String(block['tool_use_id'])] : [],
    );
    const missing = waiting.filter((id) => !results.includes(id));
    if (missing.length > 0)
      return `messages.${index - 1}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${missing.join(', ')}`;
    const strange = results.filter((id) => !waiting.includes(id));
    if (strange.length > 0 || new Set(results).size < results.length)
      return `messages.${index}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${strange.join(', ')}`;
    const other = blocks.findIndex(({ type }) => type !== 'tool_result');
    if (other !== -1 && blocks.slice(other).some(({ type }) => type === 'tool_result'))
      return `messages.${index}: \`tool_result\` blocks must come first`;
    waiting = [];
    for (const block of blocks) {
      if (block.type !== 'tool_use') continue;
      const id = String(block['id']);
      if (!/^[a-zA-Z0-9_-]+$/.test(id)) return `messages.${index}: tool_use.id: "${id}"`;
      if (seen.has(id)) return `messages: \`tool_use\` ids must be unique`;
      if (typeof block['input'] !== 'object' || block['input'] === null)
        return `messages.${index}: tool_use.input: Input should be a valid dictionary`;
      seen.add(id);
      waiting.push(id);
    }
  }
  return waiting.length > 0
    ? '`tool_use` ids were found without `tool_result` blocks at the end'
    : null;
}

function textRefusal(blocks: readonly Block[]): string | null {
  const blank = blocks.some(({ type, text }) => type === 'text' && String(text).trim() === '');
  return blank ? 'messages: text content blocks must contain non-whitespace text' : null;
}
