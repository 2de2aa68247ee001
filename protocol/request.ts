/**
 * The envelope: what one JSON value on the wire is. Pure; it looks at no method and no params.
 * Batches are taken apart here, so whatever comes behind sees single, well-formed requests only.
 */

export type RequestId = string | number | null;

/** `id` is undefined for a notification, which gets no answer. */
export type Request = {
  readonly id: RequestId | undefined;
  readonly method: string;
  readonly params: unknown;
};

export type Member =
  | { readonly kind: 'request'; readonly request: Request }
  | { readonly kind: 'invalid'; readonly id: RequestId; readonly says: string };

export type Incoming =
  | { readonly kind: 'single'; readonly member: Member }
  | { readonly kind: 'batch'; readonly members: readonly Member[] }
  | { readonly kind: 'refused'; readonly says: string };

/** An id's length in UTF-16 units: it is kept as long as its answer is owed. */
export const ID_UNITS_MAX = 1_000;

/** A batch's members at most. */
export const BATCH_MEMBERS_MAX = 100;

export function readIncoming(value: unknown): Incoming {
  if (!Array.isArray(value)) return { kind: 'single', member: readMember(value) };
  if (value.length === 0) return { kind: 'refused', says: 'an empty batch is not a request' };
  if (value.length > BATCH_MEMBERS_MAX)
    return {
      kind: 'refused',
      says: `a batch has at most ${BATCH_MEMBERS_MAX} members, this one has ${value.length}`,
    };
  return { kind: 'batch', members: value.map(readMember) };
}

function readMember(value: unknown): Member {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return { kind: 'invalid', id: null, says: 'a request is a JSON object' };
  const { id, method, params, jsonrpc } = value as Record<string, unknown>;
  const answerTo = isId(id) ? id : null;
  const invalid = (says: string): Member => ({ kind: 'invalid', id: answerTo, says });
  if (id !== undefined && !isId(id))
    return invalid(`id is a string of at most ${ID_UNITS_MAX} characters, a number or null`);
  // A missing key is accepted: people type requests by hand. A wrong one is another protocol.
  if (jsonrpc !== undefined && jsonrpc !== '2.0') return invalid('jsonrpc is "2.0"');
  if (typeof method !== 'string') return invalid('method is a string');
  return { kind: 'request', request: { id, method, params } };
}

function isId(value: unknown): value is RequestId {
  // JSON has no infinity, but `1e400` reads as one, and could not be answered to.
  return typeof value === 'string'
    ? value.length <= ID_UNITS_MAX
    : value === null || Number.isFinite(value);
}
