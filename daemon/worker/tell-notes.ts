import type { Item } from '../../protocol/items.ts';
import type { JournalEntry } from '../core/entry.ts';
import { toNoteItems } from '../core/note-queue.ts';
import { historyEvent } from './history-event.ts';
import type { Unsynced } from './unsynced.ts';
import type { WorkerPorts } from './worker-ports.ts';

/** Notes that wait, as items, and the entries that take them out of the queue. */
export type WaitingNotes = {
  readonly items: readonly Item[];
  readonly taken: readonly JournalEntry[];
};

export function notesThatWait({ journal, clock }: WorkerPorts): WaitingNotes {
  const queue = journal.state();
  const items = toNoteItems(queue);
  if (items.length === 0) return { items, taken: [] };
  const noteIds = queue.notes.map(({ noteId }) => noteId);
  const dropped = queue.notesDropped;
  return { items, taken: [{ kind: 'note_taken', at: clock.now(), noteIds, dropped }] };
}

/**
 * Puts notes into the history, in the batch that takes them out of the queue: each is told once, whatever happens
 * (FAM-11). They stand behind results that are still being synced.
 */
export async function storeNotes(
  { journal, clock }: WorkerPorts,
  notes: WaitingNotes,
  { durable }: Unsynced,
): Promise<void> {
  await durable;
  await journal.commit({
    session: [{ kind: 'injected_items', at: clock.now(), items: notes.items }],
    journal: notes.taken,
    events: [historyEvent(journal.session(), notes.items)],
  });
}
