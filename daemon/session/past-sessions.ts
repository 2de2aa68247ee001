import type { TimedUsage } from '../core/entry.ts';
import { Fault } from '../core/fault.ts';
import type { RunId, SessionId } from '../core/ids.ts';
import type { SessionState } from '../core/session-state.ts';
import type { StoredRunEnd, UsagePage } from '../ports/journal.ts';
import { hasSession, listSessions, restoreSession, sessionEntries } from './restore.ts';
import type { KeyValueStore } from './store.ts';

/**
 * How a run ended that began in `session`, wherever that was: a compaction takes an open run into a session of its own, and
 * one that a crash cut off may be taken up in a later one.
 */
export async function findRunEnd(
  store: KeyValueStore,
  session: SessionId,
  run: RunId,
  signal: AbortSignal,
): Promise<StoredRunEnd> {
  const here = await findIn(store, session, run, signal);
  if (isSettled(here)) return here;
  let found = here;
  const next = await successors(store, signal);
  for (let later = next.get(session); later !== undefined; later = next.get(later)) {
    const there = await findIn(store, later, run, signal);
    found = {
      end: there.end ?? found.end,
      continuedBy: there.continuedBy ?? found.continuedBy,
    };
    if (isSettled(found)) break;
  }
  return found;
}

/** Which session was compacted from which: the old log says nothing of it, and ids are no ages where the clock was set back. */
async function successors(
  store: KeyValueStore,
  signal: AbortSignal,
): Promise<ReadonlyMap<SessionId, SessionId>> {
  const next = new Map<SessionId, SessionId>();
  for (const id of await listSessions(store))
    for await (const entry of sessionEntries(store, id, { isReversed: false }, signal)) {
      const from = entry.kind === 'session_start' ? entry.compactedFrom : undefined;
      if (from !== undefined) next.set(from.sessionId, id);
      break;
    }
  return next;
}

function isSettled({ end, continuedBy }: StoredRunEnd): boolean {
  return continuedBy !== null || (end !== null && end.outcome !== 'interrupted');
}

/** Looks from the end: whoever asks has lost an answer, mostly the last one. */
async function findIn(
  store: KeyValueStore,
  session: SessionId,
  run: RunId,
  signal: AbortSignal,
): Promise<StoredRunEnd> {
  let continuedBy: RunId | null = null;
  for await (const entry of sessionEntries(store, session, { isReversed: true }, signal)) {
    if (entry.kind === 'run_outcome' && entry.runId === run) return { end: entry, continuedBy };
    if (entry.kind !== 'run_start') continue;
    if (entry.runId === run) break;
    if (entry.continues === run) continuedBy = entry.runId;
  }
  return { end: null, continuedBy };
}

export async function readUsage(
  store: KeyValueStore,
  { session, from, limit }: UsagePage,
  signal: AbortSignal,
): Promise<readonly TimedUsage[]> {
  await mustHave(store, session);
  const page: TimedUsage[] = [];
  let index = 0;
  for await (const entry of sessionEntries(store, session, { isReversed: false }, signal)) {
    if (entry.kind !== 'llm_usage') continue;
    if (index >= from) page.push({ ...entry.record, at: entry.at });
    index += 1;
    if (page.length >= limit) break;
  }
  return page;
}

export async function readPastSession(
  store: KeyValueStore,
  id: SessionId,
  signal: AbortSignal,
): Promise<SessionState> {
  await mustHave(store, id);
  signal.throwIfAborted();
  return (await restoreSession(store, id)).state;
}

async function mustHave(store: KeyValueStore, id: SessionId): Promise<void> {
  if (/^[\w.-]+$/.test(id) && (await hasSession(store, id))) return;
  throw new Fault('unknown_session', `this Pod has no session ${id.slice(0, 100)}`);
}
