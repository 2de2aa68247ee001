import type { Params } from '../../protocol/methods.ts';
import { pageOf } from '../core/history-page.ts';
import { sessionId } from '../core/ids.ts';
import { LIMITS } from '../core/limits.ts';
import type { SessionState } from '../core/session-state.ts';
import type { PodControl } from '../ports/pod-control.ts';
import type { PodParts } from './pod-parts.ts';
import { type LogReads, readLog } from './read-log.ts';

type Page = Awaited<ReturnType<PodControl['history']>>;

/** A page of a session, and who its Pod is. The live one is answered at once, an older one is read from the disk. */
export function toHistory(
  parts: PodParts,
  params: Params<'GetHistory'>,
  reads: LogReads,
): Page | Promise<Page> {
  const live = parts.journal.session();
  const { sessionId: asked } = params;
  if (asked === undefined || asked === live.sessionId) return toPage(parts, live, params);
  const read = readLog(reads.places, reads.signal, (within) =>
    parts.journal.pastSession(sessionId(asked), within),
  );
  return read.then((session) => toPage(parts, session, params));
}

function toPage(
  { name, cwd, config, scope }: PodParts,
  { items, sessionId: id }: SessionState,
  { from = 0, limit = LIMITS.historyPageItems }: Params<'GetHistory'>,
): Page {
  const page = pageOf(items, from, { items: limit, bytes: LIMITS.historyPageBytes });
  const { kind, model } = config.provider;
  const greeting = {
    pod: name,
    cwd,
    provider: kind,
    model,
    scope: scope.effective(),
    tools: [...config.tools],
  };
  return { sessionId: id, ...page, greeting };
}
