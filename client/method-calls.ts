import { METHODS, type Method, type Params, type Reply } from '../protocol/methods.ts';
import type { RunReport } from '../protocol/report.ts';
import { CLIENT_LIMITS } from './limits.ts';
import type { RequestLimits } from './pod-client.ts';

/** These two are what `events()` is made of. */
type Called = Exclude<Method, 'Subscribe' | 'Unsubscribe'>;

/** `Run` is `run`, `GetStatus` is `getStatus`, `rpc.discover` is `discover`. */
type CallName<M extends string> = M extends `rpc.${infer Name}` ? Name : Uncapitalize<M>;

/** A run that is waited for answers with its report. */
type Answer<M extends Called, P> = M extends 'Run' | 'Resume'
  ? P extends { readonly wait: 'accepted' }
    ? Reply<M>
    : RunReport
  : Reply<M>;

type IsOptional<P> = Partial<P> extends P ? true : false;

type Call<M extends Called> =
  IsOptional<Params<M>> extends true
    ? <const P extends Params<M>>(params?: P, limits?: RequestLimits) => Promise<Answer<M, P>>
    : <const P extends Params<M>>(params: P, limits?: RequestLimits) => Promise<Answer<M, P>>;

/** A call for each method of the table, with the types that it has there. */
export type MethodCalls = { readonly [M in Called as CallName<M>]: Call<M> };

type Request = <M extends Method>(
  method: M,
  params: Params<M>,
  limits: RequestLimits,
) => Promise<Reply<M>>;

/** Made of the table, so none is missing. A call whose `limits` have no deadline gets that of its method. */
export function createMethodCalls(request: Request): MethodCalls {
  const calls = (Object.keys(METHODS) as Method[]).map((method) => [
    toCallName(method),
    (params: object = {}, limits: RequestLimits = {}) =>
      request(method, params as never, { ...deadlineOf(method, params), ...limits }),
  ]);
  return Object.fromEntries(calls) as MethodCalls;
}

function toCallName(method: string): string {
  const name = method.replace(/^rpc\./, '');
  return `${name.charAt(0).toLowerCase()}${name.slice(1)}`;
}

/** A run takes what it takes, and so does a summary; all else is answered in a time that is known. */
function deadlineOf(method: Method, params: object): RequestLimits {
  if (method === 'Compact') return {};
  if (method === 'Run' || method === 'Resume')
    return 'wait' in params && params.wait === 'accepted'
      ? { deadlineMs: CLIENT_LIMITS.acceptMs }
      : {};
  if (method === 'Cancel') return { deadlineMs: CLIENT_LIMITS.cancelMs };
  if (method !== 'Shutdown') return { deadlineMs: CLIENT_LIMITS.answerMs };
  const isGraceful = 'mode' in params && params.mode === 'graceful';
  return { deadlineMs: isGraceful ? CLIENT_LIMITS.stopGracefulMs : CLIENT_LIMITS.stopNowMs };
}
