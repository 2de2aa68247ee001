import type { Params } from '../../protocol/methods.ts';
import { Fault } from '../core/fault.ts';
import { pageOf } from '../core/history-page.ts';
import { LIMITS } from '../core/limits.ts';
import type { PodControl } from '../ports/pod-control.ts';
import type { PodParts } from './pod-parts.ts';

/** A page of the live session, and who its Pod is. */
export function toHistory(
  { name, cwd, config, scope, journal }: PodParts,
  params: Params<'GetHistory'>,
): ReturnType<PodControl['history']> {
  const session = journal.session();
  if (params.sessionId !== undefined && params.sessionId !== session.sessionId)
    throw new Fault('unknown_session', `this Pod's live session is ${session.sessionId}`);
  const page = pageOf(session.items, params.from ?? 0, {
    items: params.limit ?? LIMITS.historyPageItems,
    bytes: LIMITS.historyPageBytes,
  });
  const { kind, model } = config.provider;
  const greeting = {
    pod: name,
    cwd,
    provider: kind,
    model,
    scope: scope.effective(),
    tools: [...config.tools],
  };
  return { sessionId: session.sessionId, ...page, greeting };
}
