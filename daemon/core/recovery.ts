import type { ToolResultItem } from '../../protocol/items.ts';
import type { SessionEntry } from './entry.ts';
import type { SessionState } from './session-state.ts';

/** What the model is told of a call whose process died: it may have happened, and is not run again. */
const INTERRUPTED = 'interrupted; outcome unknown';

/**
 * The entries that close what a process left open when it died: one result per open call, in the order of the
 * calls, then the run's end. Nothing when all is closed, so that a second restore adds nothing.
 */
export function planRecovery(
  session: Pick<SessionState, 'openRun' | 'openCalls' | 'lastRun'>,
  at: number,
): SessionEntry[] {
  const { openRun, openCalls, lastRun } = session;
  // A paused run is over, and its calls are open on purpose: they wait for a decision.
  if (openRun === null && lastRun?.outcome === 'paused') return [];
  const entries: SessionEntry[] = [];
  if (openCalls.size > 0)
    entries.push({ kind: 'tool_results', at, items: [...openCalls.keys()].map(toResult) });
  if (openRun !== null)
    entries.push({
      kind: 'run_outcome',
      at,
      runId: openRun,
      outcome: 'interrupted',
      interrupted: true,
    });
  return entries;
}

function toResult(callId: string): ToolResultItem {
  return { type: 'tool_result', callId, summary: INTERRUPTED, isError: true };
}
