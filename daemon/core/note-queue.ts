import type { MessageItem } from '../../protocol/items.ts';
import type { QueuedNote } from './entry.ts';
import { LIMITS } from './limits.ts';

/** Notes that wait for the next request, oldest first; `notesDropped` more had no room (FAM-11). */
export type NoteQueue = { readonly notes: readonly QueuedNote[]; readonly notesDropped: number };

/** The newest stay; what is over the limits is dropped from the front, and counted. */
export function addNote({ notes, notesDropped }: NoteQueue, note: QueuedNote): NoteQueue {
  const all = [...notes, note];
  let bytes = all.reduce((sum, one) => sum + noteBytes(one), 0);
  let first = 0;
  while (
    first < all.length - 1 &&
    (all.length - first > LIMITS.queuedNotes || bytes > LIMITS.queuedNoteBytes)
  ) {
    const oldest = all[first];
    if (oldest !== undefined) bytes -= noteBytes(oldest);
    first += 1;
  }
  return { notes: all.slice(first), notesDropped: notesDropped + first };
}

/** Without those that were told; some of them may have been dropped meanwhile. */
export function removeNotes(
  { notes, notesDropped }: NoteQueue,
  told: { readonly noteIds: readonly string[]; readonly dropped: number },
): NoteQueue {
  const ids = new Set(told.noteIds);
  const left = notes.filter(({ noteId }) => !ids.has(noteId));
  const missing = ids.size - (notes.length - left.length);
  return { notes: left, notesDropped: Math.max(0, notesDropped - told.dropped - missing) };
}

/** How the model is told of them: a system item each, after one line on those that had no room. */
export function toNoteItems({ notes, notesDropped }: NoteQueue): MessageItem[] {
  const lines = notes.map(({ text, from }) =>
    from === undefined ? `Note: ${text}` : `Note from ${from}: ${text}`,
  );
  if (notesDropped > 0)
    lines.unshift(
      `${notesDropped} earlier ${notesDropped === 1 ? 'note was' : 'notes were'} dropped.`,
    );
  return lines.map((text) => ({
    type: 'message',
    role: 'system',
    content: [{ type: 'text', text }],
  }));
}

function noteBytes({ noteId, text, from = '' }: QueuedNote): number {
  return noteId.length + Buffer.byteLength(text) + Buffer.byteLength(from);
}
