import type { Numbered } from '../../protocol/events.ts';
import type { Params } from '../../protocol/methods.ts';
import type { JournalEntry, JournalState, QueuedInput } from '../core/entry.ts';
import { type Fault, isRpcFault } from '../core/fault.ts';
import type { RunId, SessionId } from '../core/ids.ts';
import type { AskedRun } from '../core/run-intake.ts';
import { seenAs } from '../core/seen-requests.ts';
import type { Batch } from '../ports/journal.ts';
import { NO_REQUEST, type RunRequest } from './open-run.ts';
import type { PodParts } from './pod-parts.ts';

/** What an input asks for whose turn it is. */
export function toRequest({ text, inputId, continues }: QueuedInput): RunRequest {
  const queued = { ...NO_REQUEST, seen: seenAs('Run', inputId, text), wasQueued: true };
  return continues === undefined
    ? { ...queued, trigger: 'run', input: text }
    : { ...queued, trigger: 'resume', continues, recalls: text };
}

export function queueEvent(waiting: number): Numbered {
  return { event: 'queue', data: { waiting } };
}

/** Remembers that a request was taken, and which run is its. */
export function requestEntry(
  at: number,
  seen: NonNullable<AskedRun['seen']>,
  runId: RunId,
  sessionId: SessionId,
): JournalEntry {
  return { kind: 'request_done', at, request: { ...seen, run: { runId, sessionId } } };
}

/** An input takes its place behind those that wait; also one that was cut off by a crash. */
export function queueInputBatch(
  parts: PodParts,
  asked: Pick<AskedRun, 'text' | 'seen'> & Pick<QueuedInput, 'continues'>,
  runId: RunId,
): Batch {
  const at = parts.clock.now();
  const { sessionId } = parts.journal.session();
  const { text, seen, continues } = asked;
  const more = {
    ...(seen?.method === 'Run' ? { inputId: seen.requestId } : {}),
    ...(continues === undefined ? {} : { continues }),
  };
  return {
    journal: [
      { kind: 'input_queued', at, input: { runId, text, ...more } },
      ...(seen === null ? [] : [requestEntry(at, seen, runId, sessionId)]),
    ],
    events: [queueEvent(parts.journal.state().inputs.length + 1)],
  };
}

/** All that wait leave the queue, or one that can't begin: `why` is told, and its id is then forgotten. */
export function clearInputsBatch(
  parts: PodParts,
  inputs: JournalState['inputs'],
  why: Fault | null,
): Batch {
  const at = parts.clock.now();
  const left = parts.journal.state().inputs.length - inputs.length;
  const runIds = inputs.map(({ runId }) => runId);
  const errors: Numbered[] =
    why === null
      ? []
      : runIds.map((runId) => ({
          event: 'error' as const,
          data: { code: isRpcFault(why.code) ? why.code : 'internal', message: why.message, runId },
        }));
  return {
    journal: [{ kind: 'input_cleared', at, runIds, forgotten: why !== null }],
    events: [...errors, queueEvent(left)],
  };
}

export function noteBatch(
  parts: PodParts,
  { message, from }: Params<'Notify'>,
  seen: AskedRun['seen'],
): Batch {
  const at = parts.clock.now();
  const noteId = parts.newNoteId();
  return {
    journal: [
      {
        kind: 'note_queued',
        at,
        note: { noteId, text: message, ...(from === undefined ? {} : { from }) },
      },
      ...(seen === null ? [] : [{ kind: 'request_done' as const, at, request: seen }]),
    ],
  };
}
