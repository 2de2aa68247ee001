import { createJSONRPCErrorResponse, JSONRPCErrorException, JSONRPCServer } from 'json-rpc-2.0';
import * as v from 'valibot';
import { JSON_RPC } from '../../protocol/faults.ts';
import type { Method, Params, Reply } from '../../protocol/methods.ts';
import { METHODS } from '../../protocol/methods.ts';
import type { Request } from '../../protocol/request.ts';
import { nearest } from '../core/nearest.ts';
import type { Log } from '../ports/log.ts';
import type { Subscriber } from './event-hub.ts';
import { toRpcError } from './to-rpc-error.ts';

/** What a handler may know of the connection that asks. `afterAnswer` lines follow the answer at once, before any event. */
export type CallContext = {
  readonly subscriber: Subscriber;
  readonly afterAnswer: (lines: readonly Buffer[]) => void;
  readonly isNotification: boolean;
};

/** A missing handler, or one with the wrong shape, does not compile. */
export type Handlers = {
  readonly [M in Method]: (params: Params<M>, context: CallContext) => Reply<M> | Promise<Reply<M>>;
};

/** Answers one well-formed request with a response object, or null for a notification. Never throws. */
export type Dispatch = (request: Request, context: CallContext) => Promise<object | null>;

export function createDispatch(handlers: Handlers, log: Log): Dispatch {
  // The library's own listener prints every failed call, expected or not, to the console.
  const server = new JSONRPCServer<CallContext>({ errorListener: () => undefined });
  server.mapErrorToJSONRPCErrorResponse = (id, error: unknown) => {
    if (error instanceof JSONRPCErrorException)
      return createJSONRPCErrorResponse(id, error.code, error.message, error.data);
    const { code, message, data } = toRpcError(error);
    if (data.code === 'internal') log.error('a request failed', { err: error });
    return createJSONRPCErrorResponse(id, code, message, data);
  };
  for (const method of Object.keys(METHODS) as Method[])
    addMethod(server, method, handlers[method]);

  return async (request, context) => {
    const { id, method, params } = request;
    // Without its params: what users say and what tools find is not for the log.
    log.debug('a request came', { method: method.slice(0, ECHO_UNITS) });
    if (!Object.hasOwn(METHODS, method)) return id === undefined ? null : unknownMethod(id, method);
    return await server.receive(
      { jsonrpc: '2.0', method, params, ...(id === undefined ? {} : { id }) },
      context,
    );
  };
}

function addMethod<M extends Method>(
  server: JSONRPCServer<CallContext>,
  method: M,
  handle: Handlers[M],
): void {
  const schema = METHODS[method].params;
  server.addMethod(method, async (raw: unknown, context) => {
    if (Array.isArray(raw))
      throw invalidParams([{ path: '', says: 'params go by name: an object, not an array' }]);
    const parsed = v.safeParse(schema, raw ?? {});
    if (parsed.success) return await handle(parsed.output, context);
    throw invalidParams(parsed.issues.map((issue) => toIssue(issue, Object.keys(schema.entries))));
  });
}

/** Of what a client sent, this much is told back to it. */
const ECHO_UNITS = 100;

type ParamIssue = {
  readonly path: string;
  readonly says: string;
  readonly expected?: string;
  readonly nearest?: string;
};

function toIssue(issue: v.BaseIssue<unknown>, known: readonly string[]): ParamIssue {
  // Keys and values may be of any length, and come back only in part.
  const path = (v.getDotPath(issue) ?? '').slice(0, ECHO_UNITS);
  const says = issue.message.slice(0, 10 * ECHO_UNITS);
  if (issue.type !== 'strict_object' || issue.expected !== 'never')
    return { path, says, ...(issue.expected ? { expected: issue.expected } : {}) };
  const near = nearest(path, known);
  return {
    path,
    expected: known.length === 0 ? 'no params' : `one of ${known.join(', ')}`,
    says: near === undefined ? 'unknown key' : `unknown key; did you mean ${near}?`,
    ...(near === undefined ? {} : { nearest: near }),
  };
}

function invalidParams(issues: readonly ParamIssue[]): JSONRPCErrorException {
  const [first] = issues;
  const where = first === undefined || first.path === '' ? '' : ` ${first.path}:`;
  return new JSONRPCErrorException(
    `invalid params:${where} ${first?.says ?? ''}`,
    JSON_RPC.invalidParams,
    { issues },
  );
}

function unknownMethod(id: string | number | null, method: string): object {
  const named = method.slice(0, ECHO_UNITS);
  const near = nearest(named, Object.keys(METHODS));
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  return createJSONRPCErrorResponse(id, JSON_RPC.methodNotFound, `no method ${named}${hint}`, {
    methods: Object.keys(METHODS),
  });
}
