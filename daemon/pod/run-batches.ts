import { isDeepStrictEqual } from 'node:util';
import type { Numbered } from '../../protocol/events.ts';
import type { Item } from '../../protocol/items.ts';
import type { RpcFaultName } from '../../protocol/faults.ts';
import type { RunReport } from '../../protocol/report.ts';
import type { JournalEntry, SessionEntry } from '../core/entry.ts';
import { STORE_FORMAT } from '../core/entry.ts';
import { isRpcFault } from '../core/fault.ts';
import { isAnswerPart } from '../core/checked-items.ts';
import { planRecovery } from '../core/recovery.ts';
import { LIMITS } from '../core/limits.ts';
import { lastRunOf, type SessionState } from '../core/session-state.ts';
import { cutWithMark } from '../core/truncate.ts';
import type { Batch } from '../ports/journal.ts';
import type { RunEnd } from '../worker/run-turns.ts';
import { NO_USAGE } from '../core/usage.ts';
import { historyEvent } from '../worker/history-event.ts';
import type { OpenRun, RunRequest } from './open-run.ts';
import { queueEvent, requestEntry } from './queue-batches.ts';
import type { PodParts } from './pod-parts.ts';

/**
 * The batch that begins a run: what a failed disk, or a paused run, left open is closed, a fresh session gets its first
 * entry, a changed manifest is recorded and told once, the input leaves the queue and is stored, the id that its client gave
 * it is remembered.
 */
export function startBatch(parts: PodParts, run: OpenRun, systemPrompt: string | null): Batch {
  return beginBatch(parts, run, systemPrompt, (last) => takeUpItems(parts, run.request, last));
}

function beginBatch(
  parts: PodParts,
  run: OpenRun,
  systemPrompt: string | null,
  takeUp: (last: Item | undefined) => readonly Item[],
): Batch {
  const at = parts.clock.now();
  const session = parts.journal.session();
  const { trigger, input, continues, seen } = run.request;
  const entries: SessionEntry[] = [];
  const events: Numbered[] = [];
  if (systemPrompt !== null)
    entries.push({
      kind: 'session_start',
      at,
      version: STORE_FORMAT,
      sessionId: session.sessionId,
      systemPrompt,
      config: parts.config,
      history: [],
      files: [],
      turnCount: 0,
    });
  else if (!isDeepStrictEqual(session.config, parts.config)) {
    entries.push({ kind: 'config_changed', at, config: parts.config });
    const message = `the manifest's ${changedKeys(session, parts)} differ from the session's; the manifest's are in force`;
    events.push({ event: 'notification', data: { level: 'info', source: 'manifest', message } });
  }
  const closed = [...planRecovery(session, at), ...closePaused(session, at)];
  entries.push(...closed);
  const start = {
    runId: run.id,
    trigger,
    ...(seen?.method === 'Run' ? { inputId: seen.requestId } : {}),
    ...(continues === null ? {} : { continues }),
  };
  entries.push({ kind: 'run_start', at, ...start });
  events.push({ event: 'run_start', data: start });
  const items: Item[] = closed.flatMap((entry) =>
    entry.kind === 'tool_results' ? [...entry.items] : [],
  );
  const injected = takeUp(items.at(-1) ?? session.items.at(-1));
  if (injected.length > 0) entries.push({ kind: 'injected_items', at, items: injected });
  items.push(...injected);
  if (input !== null) {
    const item: Item = { type: 'message', role: 'user', content: [{ type: 'text', text: input }] };
    entries.push({ kind: 'user_input', at, item });
    items.push(item);
  }
  if (items.length > 0) events.push(historyEvent(session, items));
  const journal: JournalEntry[] = [];
  if (systemPrompt !== null)
    journal.push({ kind: 'session_current', at, sessionId: session.sessionId });
  if (run.request.wasQueued) {
    journal.push({ kind: 'input_taken', at, runId: run.id });
    events.push(queueEvent(parts.journal.state().inputs.length - 1));
  }
  if (seen !== null) journal.push(requestEntry(at, seen, run.id, session.sessionId));
  return { session: entries, journal, events };
}

/** The end of a paused Pod's last run, whose calls nobody will decide about any more. */
export function cancelPausedBatch(parts: PodParts, run: OpenRun): Batch {
  // No model is asked by it.
  const start = beginBatch(parts, run, null, () => []);
  const report = toReport(parts.journal.session(), run, {
    kind: 'cancelled',
    tally: { turns: 0, usage: NO_USAGE },
  });
  const end = endEntry(parts.clock.now(), run, report);
  const ended: Numbered = {
    event: 'run_end',
    data: { runId: run.id, outcome: 'cancelled', report },
  };
  return {
    ...start,
    session: [...(start.session ?? []), end],
    events: [...(start.events ?? []), ended],
  };
}

function closePaused({ lastRun, openCalls }: SessionState, at: number): SessionEntry[] {
  if (lastRun?.outcome !== 'paused' || openCalls.size === 0) return [];
  const items = [...openCalls.keys()].map((callId) => ({
    type: 'tool_result' as const,
    callId,
    summary: 'not run: nobody decided about it',
    isError: true,
  }));
  return [{ kind: 'tool_results', at, items }];
}

/**
 * What a resumed run begins with: where the model had the last word, since models do not continue a text of their own, and
 * where other runs came in between. It is stored, so that every later request has it where this one had it; a provider
 * may refuse a history that changed.
 */
function takeUpItems(
  parts: PodParts,
  { trigger, continues, recalls }: RunRequest,
  last: Item | undefined,
): readonly Item[] {
  if (trigger !== 'resume') return [];
  if (lastRunOf(parts.journal.session())?.runId !== continues)
    return [told(sayWhatIsLeft(recalls))];
  if (last?.type !== 'message' || last.role === 'user') return [];
  if (last.role === 'assistant')
    return [told('The run was interrupted behind this answer. Go on from there.')];
  // Behind a summary alone it would not know whose turn it is.
  const isCompacted = !parts.journal.session().items.some(isAnswerPart);
  return isCompacted ? [told('The run was interrupted. Go on with the active task.')] : [];
}

function sayWhatIsLeft(recalls: string | null): string {
  const left =
    'A run was cut off by a crash, before others that came after it. Finish what is left of it.';
  return recalls === null || recalls === ''
    ? left
    : `${left} It was begun with:\n${cutWithMark(recalls, LIMITS.recalledBytes).text}`;
}

function told(text: string): Item {
  return { type: 'message', role: 'system', content: [{ type: 'text', text }] };
}

export type FinalEnd = Exclude<RunEnd, { kind: 'yielded' }>;

/** The batch that ends a run: one terminal record with the true cause, and its event. */
export function endBatch(parts: PodParts, run: OpenRun, end: FinalEnd): Batch {
  const at = parts.clock.now();
  if (end.kind === 'failed') {
    const error = { code: rpcCode(end), message: end.fault.message };
    const { cause } = end.fault.data;
    // Whoever asks for this run again is told no less of it.
    const stored = { ...error, ...(typeof cause === 'string' ? { cause } : {}) };
    const interrupted = true;
    return {
      session: [
        { kind: 'run_outcome', at, runId: run.id, interrupted, outcome: 'error', error: stored },
      ],
      events: [{ event: 'run_end', data: { runId: run.id, error } }],
    };
  }
  const report = toReport(parts.journal.session(), run, end);
  const { outcome } = report;
  return {
    session: [endEntry(at, run, report)],
    events: [{ event: 'run_end', data: { runId: run.id, outcome, report } }],
  };
}

function endEntry(at: number, run: OpenRun, report: RunReport): SessionEntry {
  const { outcome } = report;
  const interrupted = outcome !== 'finished';
  return { kind: 'run_outcome', at, runId: run.id, interrupted, outcome, report };
}

/** Not its end: it goes on when its session is compacted, and is whole here if that never happens (COMP-1). */
export function yieldBatch(parts: PodParts, run: OpenRun): Batch {
  return { session: [{ kind: 'run_yielded', at: parts.clock.now(), runId: run.id }] };
}

export function toReport(
  session: SessionState,
  run: OpenRun,
  end: Exclude<RunEnd, { kind: 'failed' | 'yielded' }>,
): RunReport {
  const { continues } = run.request;
  return {
    runId: run.id,
    outcome: end.kind === 'limitReached' ? 'limit_reached' : end.kind,
    text: end.tally.turns === 0 ? '' : run.textIn(session),
    turns: end.tally.turns,
    usage: end.tally.usage,
    sessionId: session.sessionId,
    ...(end.kind === 'finished' ? { stopReason: end.stopReason } : {}),
    ...(end.kind === 'paused' ? { pending: [] } : {}),
    ...(continues === null ? {} : { continues }),
  };
}

function rpcCode(end: Extract<RunEnd, { kind: 'failed' }>): RpcFaultName {
  const { code } = end.fault;
  return isRpcFault(code) ? code : 'internal';
}

function changedKeys(session: SessionState, parts: PodParts): string {
  const keys = (Object.keys(parts.config) as (keyof PodParts['config'])[]).filter(
    (key) => !isDeepStrictEqual(session.config?.[key], parts.config[key]),
  );
  return keys.join(', ');
}
