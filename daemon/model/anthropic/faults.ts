import { Fault } from '../../core/fault.ts';

/** What the SDK's errors have in common, told apart by their fields: loading their classes would load the SDK. */
type ApiError = {
  readonly status?: unknown;
  readonly type?: unknown;
  readonly apiMessage?: unknown;
  readonly headers?: unknown;
  readonly requestID?: unknown;
};

/** PROV-4's. */
const RETRYABLE: ReadonlySet<number> = new Set([408, 409, 429, 500, 502, 503, 504, 529]);

/** An error event in the stream has no status but its type, which is that of a response with this one. */
const STATUS_OF: ReadonlyMap<unknown, number> = new Map([
  ['overloaded_error', 529],
  ['rate_limit_error', 429],
  ['timeout_error', 504],
  ['api_error', 500],
  ['conflict_error', 409],
  ['invalid_request_error', 400],
  ['authentication_error', 401],
  ['billing_error', 402],
  ['permission_error', 403],
  ['not_found_error', 404],
  ['request_too_large', 413],
]);

/** Reasons that undici gives as its codes. */
const REASON_OF: ReadonlyMap<unknown, string> = new Map([
  ['UND_ERR_BODY_TIMEOUT', 'idle_timeout'],
  ['UND_ERR_CONNECT_TIMEOUT', 'connect_timeout'],
]);

const TOO_LONG =
  /prompt is too long|exceeds? the (?:model's )?context|input length and `max_tokens`/i;
const MESSAGE_UNITS_MAX = 500;

/**
 * What a request failed of, as the wire and the retries know it. `connection` failures may be tried again. A server may
 * quote the key that it was sent, so `secret` is taken out of what it says.
 */
export function toProviderFault(error: unknown, model: string, secret: string): Fault {
  if (error instanceof Fault) return error;
  const { status: given, type, apiMessage, headers, requestID } = Object(error) as ApiError;
  const status = typeof given === 'number' ? given : STATUS_OF.get(type);
  const told = typeof apiMessage === 'string' ? apiMessage : sayWhy(error);
  const says = told.replaceAll(secret, '***');
  const cause = quotes(error, secret) ? undefined : error;
  // Only an answer of the API has a head. A type that is not known ended an answer that the API had begun, so nothing was
  // wrong with what was asked: that may pass, and is tried a few times only.
  if (status === undefined && headers instanceof Headers) {
    const kind = typeof type === 'string' ? type.replaceAll(secret, '***') : 'an error of no type';
    return fault(`${model} ended its answer with ${kind}: ${says}`, cause, {
      reason: 'error_event',
      retryable: true,
    });
  }
  if (status === undefined)
    return fault(`${model}: the connection failed (${says})`, cause, {
      reason: reasonOf(error),
      retryable: true,
    });
  const isTooLong = status === 413 || (status === 400 && TOO_LONG.test(says));
  return fault(`${model} answers with ${status}: ${says}`, cause, {
    status,
    retryable: RETRYABLE.has(status),
    ...(isTooLong ? { reason: 'prompt_too_long' } : {}),
    ...retryAfter(headers),
    ...(typeof requestID === 'string' ? { requestId: requestID } : {}),
  });
}

function fault(says: string, cause: unknown, data: Readonly<Record<string, unknown>>): Fault {
  return new Fault('provider_error', says.slice(0, MESSAGE_UNITS_MAX), { cause, data });
}

/** In any text that a log would show of it. */
function quotes(error: unknown, secret: string): boolean {
  if (!(error instanceof Error)) return false;
  const { error: body, cause } = error as { readonly error?: unknown; readonly cause?: unknown };
  const texts = `${error.message}\n${error.stack ?? ''}\n${JSON.stringify(body ?? null)}`;
  return texts.includes(secret) || quotes(cause, secret);
}

function reasonOf(error: unknown): string {
  if (error instanceof SyntaxError) return 'malformed';
  if (!(error instanceof Error)) return 'connection';
  return ('code' in error ? REASON_OF.get(error.code) : undefined) ?? reasonOf(error.cause);
}

/** The innermost cause is what happened; what is around it only says that it failed. */
function sayWhy(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof Error) return sayWhy(cause);
  const code = 'code' in error && typeof error.code === 'string' ? `${error.code}: ` : '';
  return `${code}${error.message}`;
}

/** In seconds or, by HTTP, as a date. */
function retryAfter(headers: unknown): { readonly retryAfterMs?: number } {
  const { get } = Object(headers) as { readonly get?: unknown };
  const text: unknown = typeof get === 'function' ? get.call(headers, 'retry-after') : null;
  if (typeof text !== 'string' || text === '') return {};
  const ms = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isFinite(ms) ? { retryAfterMs: Math.max(0, Math.round(ms)) } : {};
}
