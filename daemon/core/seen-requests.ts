import { createHash } from 'node:crypto';
import type { SeenRequest } from './entry.ts';
import { LIMITS } from './limits.ts';

/** What to do with a request that carries an id of its client's (PROTO-17). */
export type Seen =
  | { readonly kind: 'new' }
  /** It was taken before; nothing is done again. */
  | { readonly kind: 'again'; readonly request: SeenRequest }
  /** The id was used for something else. */
  | { readonly kind: 'conflict' };

export function hashOfRequest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Null for a client that gave no id. */
export function seenAs(
  method: SeenRequest['method'],
  requestId: string | undefined,
  text: string,
): Pick<SeenRequest, 'method' | 'requestId' | 'hash'> | null {
  return requestId === undefined ? null : { method, requestId, hash: hashOfRequest(text) };
}

export function lookUpRequest(
  requests: readonly SeenRequest[],
  asked: Pick<SeenRequest, 'method' | 'requestId' | 'hash'>,
): Seen {
  const request = requests.findLast(
    ({ method, requestId }) => method === asked.method && requestId === asked.requestId,
  );
  if (request === undefined) return { kind: 'new' };
  return request.hash === asked.hash ? { kind: 'again', request } : { kind: 'conflict' };
}

/** The newest are kept: so many, and none that is older than 30 days. What is remembered anew takes the place of the old. */
export function rememberRequest(
  requests: readonly SeenRequest[],
  request: Omit<SeenRequest, 'at'>,
  at: number,
): readonly SeenRequest[] {
  const oldest = at - LIMITS.seenRequestMs;
  const { method, requestId } = request;
  const others = requests.filter(
    (one) => one.at >= oldest && (one.method !== method || one.requestId !== requestId),
  );
  return [...others.slice(-(LIMITS.seenRequests - 1)), { ...request, at }];
}
