import type { RunReport } from '../../protocol/report.ts';
import type { RpcFaultName } from '../../protocol/faults.ts';
import { Fault, RPC_FAULTS } from '../core/fault.ts';
import type { RunId, SessionId } from '../core/ids.ts';
import { LIMITS } from '../core/limits.ts';
import { NO_USAGE } from '../core/usage.ts';
import type { Journal, RunEndEntry } from '../ports/journal.ts';
import { waitOrAbandon } from '../support/abandon.ts';
import { withDeadline } from '../support/with-deadline.ts';
import { withRun } from './run-faults.ts';

export type StoredRun = { readonly runId: RunId; readonly sessionId: SessionId };

/** How a run ended that is not open any more, by the log. */
export type FoundRun =
  | { readonly kind: 'reported'; readonly report: RunReport }
  | { readonly kind: 'failed'; readonly fault: Fault }
  /** Its process died; `continuedBy` is the run that took it up, if one did. */
  | { readonly kind: 'interrupted'; readonly continuedBy: RunId | null }
  /** It never began: its input was taken out of the queue. */
  | { readonly kind: 'absent' };

/** Reads the log, under a deadline. Never rejects: what keeps it from knowing is told as a failure of that run. */
export async function findRun(
  journal: Pick<Journal, 'runEnd'>,
  run: StoredRun,
  signal: AbortSignal,
): Promise<FoundRun> {
  const limit = { what: 'reading the log', ms: LIMITS.readLogMs };
  try {
    const found = await withDeadline(
      signal,
      limit,
      async (within) =>
        await waitOrAbandon(journal.runEnd(run.sessionId, run.runId, within), within, 0),
    );
    return found.end === null
      ? { kind: 'absent' }
      : toFound(found.end, found.continuedBy, run.runId);
  } catch (cause) {
    const says = 'how this run ended could not be read from the session store';
    const fault = new Fault('storage_error', says, { cause });
    return { kind: 'failed', fault: withRun(fault, run.runId) };
  }
}

function toFound(entry: RunEndEntry, continuedBy: RunId | null, runId: RunId): FoundRun {
  switch (entry.outcome) {
    case 'interrupted':
      return { kind: 'interrupted', continuedBy };
    case 'error': {
      const code = toFaultName(entry.error.code);
      const { cause } = entry.error;
      const { retryable } = RPC_FAULTS[code];
      const data = { retryable, ...(cause === undefined ? {} : { cause }) };
      const fault = new Fault(code, entry.error.message, { data });
      return { kind: 'failed', fault: withRun(fault, runId) };
    }
    case 'finished':
    case 'paused':
    case 'limit_reached':
    case 'cancelled':
      return { kind: 'reported', report: entry.report };
  }
}

function toFaultName(code: string): RpcFaultName {
  return Object.hasOwn(RPC_FAULTS, code) ? (code as RpcFaultName) : 'internal';
}

/** For whoever waits for an input that was taken out of the queue: nothing of it was done. */
export function reportOfNone(runId: RunId, sessionId: SessionId): RunReport {
  return { runId, outcome: 'cancelled', text: '', turns: 0, usage: NO_USAGE, sessionId };
}
