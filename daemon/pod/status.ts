import { PROTOCOL_VERSION } from '../../protocol/version.ts';
import type { Status } from '../../protocol/status.ts';
import { lastRunOf, type SessionState } from '../core/session-state.ts';
import { occupancyOf } from '../core/occupancy.ts';
import type { Params, Reply } from '../../protocol/methods.ts';
import { sessionId } from '../core/ids.ts';
import { LIMITS } from '../core/limits.ts';
import { type LogReads, readLog } from './read-log.ts';
import type { RunView } from '../ports/pod-control.ts';
import type { Phase, StateName } from '../../protocol/state.ts';
import type { PodParts } from './pod-parts.ts';

/** What `GetStatus` answers, read from the state of this moment. Nothing here waits or grows with the history. */
export function toStatus(
  parts: PodParts,
  view: { state: StateName; phase?: Phase; run?: RunView },
): Omit<Status, 'connections'> {
  const { journal, config } = parts;
  const session = journal.session();
  const waits = journal.state();
  // A run that is under way is no last one.
  const lastRun = view.run === undefined ? lastRunOf(session) : session.lastRun;
  return {
    protocol: PROTOCOL_VERSION,
    version: parts.version,
    pod: parts.name,
    pid: parts.process.pid,
    epoch: parts.epoch,
    ...view,
    lastOutcome: lastRun?.outcome ?? null,
    interrupted: lastRun?.interrupted ?? false,
    sessionId: session.sessionId,
    headHash: journal.headHash(),
    turnCount: session.turnCount,
    items: session.items.length,
    occupancy: { ...occupancyOf(session), ...limit(parts) },
    usage: session.totals.usage,
    ...costOf(session),
    ...cacheOf(session),
    provider: config.provider,
    cwd: parts.cwd,
    scope: {
      own: parts.scope.own(),
      delegated: parts.scope.delegated(),
      effective: parts.scope.effective(),
    },
    ...(parts.registry === undefined ? {} : { registry: parts.registry }),
    parent: parts.scope.parent(),
    children: [...parts.scope.children()],
    waiting: { notes: waits.notes.length, inputs: waits.inputs.length, events: 0, decisions: 0 },
    outbox: 0,
    compaction: waits.compaction,
    log: journal.size(),
    committingSince: journal.committingSince(),
    uptimeMs: parts.process.uptimeMs(),
    rssBytes: parts.process.rssBytes(),
  };
}

/** Of the live session, or of an older one. */
export async function readUsage(
  { journal }: PodParts,
  { sessionId: asked, from = 0, limit = LIMITS.historyPageItems }: Params<'GetUsage'>,
  reads: LogReads,
): Promise<Reply<'GetUsage'>> {
  const session = asked === undefined ? journal.session().sessionId : sessionId(asked);
  const records = await readLog(reads.places, reads.signal, (within) =>
    journal.usage({ session, from, limit }, within),
  );
  return {
    records: records.map(
      ({ inputTotal, cacheRead, cacheWrite, output, historyLen, at, kind, costUsd }) => ({
        inputTotal,
        cacheRead,
        cacheWrite,
        output,
        historyLen,
        at,
        kind,
        ...(costUsd === undefined ? {} : { costUsd }),
      }),
    ),
  };
}

function costOf({ totals }: SessionState): { costUsd?: number } {
  return totals.costUsd === 0 ? {} : { costUsd: totals.costUsd };
}

function cacheOf({ usageRecords }: SessionState): Pick<Status, 'cache'> {
  const last = usageRecords.findLast(({ kind }) => kind === 'run');
  if (last === undefined) return {};
  const { cacheRead: hit, miss } = last;
  return { cache: { hit, ...(miss === undefined ? {} : { reason: miss }) } };
}

function limit(parts: PodParts): { limit?: number } {
  const { contextWindow } = parts.model;
  return contextWindow === undefined ? {} : { limit: contextWindow };
}
