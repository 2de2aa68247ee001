import { assertNever, invariant, InvariantError } from './assert.ts';
import type { JournalEntry, JournalState } from './entry.ts';

/** What a fresh store's journal begins with. */
export const EMPTY_JOURNAL: JournalState = Object.freeze({
  epoch: 0,
  bootId: '',
  stopped: false,
  sessionCurrent: null,
});

/**
 * The one projection of the journal; null stands for a chain without its first entry. Fields of the state that
 * this version does not know are carried along, so that rewriting the journal loses none of them.
 */
export function nextJournalState(state: JournalState | null, entry: JournalEntry): JournalState {
  if (entry.kind === 'journal_start') {
    invariant(state === null, 'a second journal_start in one chain');
    return { ...entry.state };
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
    case 'input_taken':
    case 'input_cleared':
    case 'note_queued':
    case 'note_taken':
    case 'request_done':
    case 'decision_asked':
    case 'decision_made':
    case 'remembered':
    case 'budget':
    case 'child':
    case 'outbox':
    case 'inbox_cursor':
    case 'compaction_state':
      // Passing over one would lose it for good when the journal is rewritten from its state.
      throw new InvariantError(
        `${entry.kind} is of a later version of podd, which this one can't take over`,
      );
    default:
      return assertNever(entry, 'nextJournalState');
  }
}
