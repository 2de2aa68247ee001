import type { Numbered } from '../../protocol/events.ts';
import type { Item } from '../../protocol/items.ts';
import type { Compacted } from '../../protocol/methods.ts';
import type { CompactionCause, NewHistory } from '../compaction/compaction-job.ts';
import {
  type CarriedOver,
  type JournalEntry,
  type SessionEntry,
  STORE_FORMAT,
} from '../core/entry.ts';
import type { SessionId } from '../core/ids.ts';
import { invariant } from '../core/assert.ts';
import { isAnswerPart } from '../core/checked-items.ts';
import { LIMITS } from '../core/limits.ts';
import type { SessionState } from '../core/session-state.ts';
import type { Batch } from '../ports/journal.ts';
import type { OpenCompaction } from './open-compaction.ts';
import type { PodParts } from './pod-parts.ts';

/** The session of `history` becomes the live one: all of it in one batch, or nothing (COMP-7, 8). */
export function switchBatch(
  parts: PodParts,
  { asked, run }: OpenCompaction,
  history: NewHistory,
  answer: Compacted,
  next: SessionId,
): Batch {
  const at = parts.clock.now();
  const session = parts.journal.session();
  const { items, pruneMark, calibration } = history;
  const atHash = parts.journal.headHash();
  invariant(atHash !== null && session.config !== null, 'a session without entries is compacted');
  const entries: SessionEntry[] = [
    {
      kind: 'session_start',
      at,
      version: STORE_FORMAT,
      sessionId: next,
      systemPrompt: session.systemPrompt,
      config: session.config,
      history: items,
      files: session.tracker.files(),
      turnCount: session.turnCount,
      compactedFrom: { sessionId: session.sessionId, atHash },
      calibration,
      carried: carriedOver(session),
    },
  ];
  if (pruneMark > 0) entries.push({ kind: 'prune_marked', at, index: pruneMark });
  if (run !== null && !items.some(isAnswerPart))
    entries.push({ kind: 'injected_items', at, items: [GO_ON] });
  const journal: JournalEntry[] = [
    { kind: 'session_current', at, sessionId: next },
    { kind: 'compaction_state', at, failures: 0, disabled: false },
  ];
  const seen = asked?.seen ?? null;
  if (seen !== null)
    journal.push({ kind: 'request_done', at, request: { ...seen, compacted: answer } });
  const events: Numbered[] = [
    { event: 'compaction_done', data: answer },
    {
      event: 'session_changed',
      data: { from: answer.from, sessionId: answer.sessionId, reason: 'compacted' },
    },
  ];
  const { directivesDropped: dropped } = history;
  if (dropped > 0)
    events.push(
      notice(
        'warn',
        `${dropped} of the oldest directives had no room in the summary (${LIMITS.directiveBytes} bytes) and were left out`,
      ),
    );
  return { session: entries, journal, events };
}

function carriedOver({ openRun, lastRun, firstRequest, totals }: SessionState): CarriedOver {
  return {
    ...(openRun === null ? {} : { openRun }),
    ...(lastRun === null ? {} : { lastRun }),
    ...(firstRequest === null ? {} : { firstRequest }),
    totals,
  };
}

/** Behind a summary alone a model would not know whose turn it is. */
const GO_ON: Item = {
  type: 'message',
  role: 'system',
  content: [
    {
      type: 'text',
      text: 'The conversation was compacted in the middle of a run. Go on with the active task.',
    },
  ],
};

export type CompactionFailure = {
  readonly cause: CompactionCause;
  readonly says: string;
  /** It counts among those in a row. */
  readonly counts: boolean;
  /** It ends a run. */
  readonly inRun: boolean;
};

/** What is told and remembered of a compaction that failed; the session stays as it is. */
export function failureBatch(parts: PodParts, failure: CompactionFailure): Batch {
  const at = parts.clock.now();
  const { cause, says: message, counts, inRun } = failure;
  const before = parts.journal.state().compaction;
  const failures = before.failures + (counts ? 1 : 0);
  const disabled = before.disabled || failures >= LIMITS.compactionFailures;
  const events: Numbered[] = [
    { event: 'compaction_failed', data: { message, cause, failures, disabled } },
  ];
  if (cause !== 'cancelled')
    events.push(notice(inRun ? 'error' : 'warn', `the compaction failed: ${message}`));
  if (disabled && !before.disabled)
    events.push(
      notice(
        'error',
        `${failures} compactions in a row have failed: nothing is compacted by itself any more until a Compact succeeds`,
      ),
    );
  if (!counts) return { events };
  return {
    journal: [{ kind: 'compaction_state', at, failures, disabled, message: message.slice(0, 500) }],
    events,
  };
}

function notice(level: 'warn' | 'error', message: string): Numbered {
  return { event: 'notification', data: { level, source: 'compactor', message } };
}
