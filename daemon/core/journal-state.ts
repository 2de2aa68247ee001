import { assertNever, invariant, InvariantError } from './assert.ts';
import type {
  CompactionState,
  JournalEntry,
  JournalState,
  QueuedInput,
  StoredJournalState,
} from './entry.ts';
import type { RunId } from './ids.ts';
import { addNote, removeNotes } from './note-queue.ts';
import { rememberRequest } from './seen-requests.ts';

/** None failed, none is known to have been. */
const NO_COMPACTION: CompactionState = Object.freeze({
  failures: 0,
  disabled: false,
  lastAt: null,
});

/** What a fresh store's journal begins with. */
export const EMPTY_JOURNAL: JournalState = Object.freeze({
  epoch: 0,
  bootId: '',
  stopped: false,
  sessionCurrent: null,
  inputs: Object.freeze([]),
  notes: Object.freeze([]),
  notesDropped: 0,
  requests: Object.freeze([]),
  compaction: NO_COMPACTION,
});

/** As it is stored: without what is empty, as before there was any of it. */
export function toStoredState(state: JournalState): StoredJournalState {
  const { inputs, notes, notesDropped, requests, compaction, ...rest } = state;
  return {
    ...rest,
    ...(inputs.length === 0 ? {} : { inputs }),
    ...(notes.length === 0 ? {} : { notes }),
    ...(notesDropped === 0 ? {} : { notesDropped }),
    ...(requests.length === 0 ? {} : { requests }),
    ...(compaction === NO_COMPACTION ? {} : { compaction }),
  };
}

/**
 * The one projection of the journal; null stands for a chain without its first entry. Fields of the state that
 * this version does not know are carried along, so that rewriting the journal loses none of them.
 */
export function nextJournalState(state: JournalState | null, entry: JournalEntry): JournalState {
  if (entry.kind === 'journal_start') {
    invariant(state === null, 'a second journal_start in one chain');
    // What an older version wrote knows nothing of what waits.
    return { ...EMPTY_JOURNAL, ...entry.state };
  }
  invariant(state !== null, `${entry.kind} before journal_start`);
  switch (entry.kind) {
    case 'started':
      // Other Pods take epochs of the registry in between, so it rises by more than one.
      invariant(entry.epoch > state.epoch, `epoch ${entry.epoch} started after ${state.epoch}`);
      return { ...state, epoch: entry.epoch, bootId: entry.bootId, stopped: false };
    case 'stopped':
      return { ...state, stopped: true };
    case 'session_current':
      return { ...state, sessionCurrent: entry.sessionId };
    case 'input_queued':
      return { ...state, inputs: [...state.inputs, entry.input] };
    case 'input_taken':
      return { ...state, inputs: withoutInputs(state, [entry.runId]) };
    case 'input_cleared':
      return {
        ...state,
        inputs: withoutInputs(state, entry.runIds),
        ...(entry.forgotten ? { requests: withoutRuns(state, entry.runIds) } : {}),
      };
    case 'note_queued':
      return { ...state, ...addNote(state, entry.note) };
    case 'note_taken':
      return { ...state, ...removeNotes(state, entry) };
    case 'request_done':
      return { ...state, requests: rememberRequest(state.requests, entry.request, entry.at) };
    case 'compaction_state':
      return { ...state, compaction: nextCompaction(state.compaction, entry) };
    case 'decision_asked':
    case 'decision_made':
    case 'remembered':
    case 'budget':
    case 'child':
    case 'outbox':
    case 'inbox_cursor':
      // Passing over one would lose it for good when the journal is rewritten from its state.
      throw new InvariantError(
        `${entry.kind} is of a later version of podd, which this one can't take over`,
      );
    default:
      return assertNever(entry, 'nextJournalState');
  }
}

function nextCompaction(
  { lastAt }: CompactionState,
  { at, failures, disabled, message }: Extract<JournalEntry, { readonly kind: 'compaction_state' }>,
): CompactionState {
  return {
    failures,
    disabled,
    lastAt: failures === 0 ? at : lastAt,
    ...(message === undefined ? {} : { lastFailure: message }),
  };
}

function withoutInputs({ inputs }: JournalState, runIds: readonly RunId[]): readonly QueuedInput[] {
  const left = inputs.filter(({ runId }) => !runIds.includes(runId));
  invariant(left.length === inputs.length - runIds.length, 'an input was taken that did not wait');
  return left;
}

function withoutRuns(
  { requests }: JournalState,
  runIds: readonly RunId[],
): JournalState['requests'] {
  return requests.filter(({ run }) => run === undefined || !runIds.includes(run.runId));
}
