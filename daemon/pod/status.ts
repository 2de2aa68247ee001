import { PROTOCOL_VERSION } from '../../protocol/version.ts';
import type { Status } from '../../protocol/status.ts';
import { lastRunOf, type SessionState } from '../core/session-state.ts';
import { estimateOccupancy } from '../core/usage.ts';
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
    occupancy: { ...occupancy(session), ...limit(parts) },
    usage: session.usageTotals,
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
    compaction: { disabled: false, failures: 0, lastAt: null },
    log: journal.size(),
    committingSince: journal.committingSince(),
    uptimeMs: parts.process.uptimeMs(),
    rssBytes: parts.process.rssBytes(),
  };
}

function occupancy(session: SessionState): {
  tokens: number;
  source: Status['occupancy']['source'];
} {
  const measured = session.usageRecords.findLast(({ kind }) => kind === 'run');
  return estimateOccupancy({
    bytes: session.itemBytes,
    measuredBytes: session.measuredBytes,
    measuredTokens: measured?.inputTotal ?? null,
  });
}

function limit(parts: PodParts): { limit?: number } {
  const { contextWindow } = parts.model;
  return contextWindow === undefined ? {} : { limit: contextWindow };
}
