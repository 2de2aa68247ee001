import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { QueuedNote } from '../../../daemon/core/entry.ts';
import { LIMITS } from '../../../daemon/core/limits.ts';
import {
  addNote,
  type NoteQueue,
  removeNotes,
  toNoteItems,
} from '../../../daemon/core/note-queue.ts';

const EMPTY: NoteQueue = { notes: [], notesDropped: 0 };
const note = (n: number, text = `t${n}`): QueuedNote => ({ noteId: `n${n}`, text });
const filled = (count: number): NoteQueue =>
  Array.from({ length: count }, (_, n) => note(n)).reduce(addNote, EMPTY);
const textsOf = (queue: NoteQueue): string[] =>
  toNoteItems(queue).map(({ content }) => {
    const [part] = content;
    return part?.type === 'text' ? part.text : '';
  });

describe('the queue of notes', () => {
  test('FAM-11 INV-12: over its limit the oldest make room, and are counted', () => {
    const queue = filled(LIMITS.queuedNotes + 3);
    expect(queue.notes).toHaveLength(LIMITS.queuedNotes);
    expect(queue.notesDropped).toBe(3);
    expect(queue.notes[0]).toEqual(note(3));
    expect(textsOf(queue)[0]).toBe('3 earlier notes were dropped.');
  });

  test('FAM-11 INV-12: large notes make room by their bytes; the newest is kept whatever its size', () => {
    const half = 'x'.repeat(LIMITS.queuedNoteBytes / 2);
    const queue = [note(1, half), note(2, half)].reduce(addNote, EMPTY);
    expect(queue).toMatchObject({ notes: [{ noteId: 'n2' }], notesDropped: 1 });
    const huge = addNote(queue, note(3, half + half));
    expect(huge).toMatchObject({ notes: [{ noteId: 'n3' }], notesDropped: 2 });
  });

  test('FAM-11: a note is headed by who sent it', () => {
    const queue = [note(1, 'plain'), { ...note(2, 'named'), from: 'ci' }].reduce(addNote, EMPTY);
    expect(textsOf(queue)).toEqual(['Note: plain', 'Note from ci: named']);
  });

  test('FAM-11: every note is told once or counted as dropped, in whatever order notes come and are told', () => {
    const step = fc.oneof(fc.constant('add' as const), fc.constant('tell' as const));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), fc.nat(50), (steps, meanwhile) => {
        let queue = filled(LIMITS.queuedNotes - 5);
        let added = LIMITS.queuedNotes - 5;
        const told = new Set<string>();
        let toldDropped = 0;
        for (const what of steps) {
          if (what === 'add') queue = addNote(queue, note(added++));
          else {
            const taken = queue;
            // Some come while the commit is under way.
            for (let n = 0; n < meanwhile % 3; n += 1) queue = addNote(queue, note(added++));
            const noteIds = taken.notes.map(({ noteId }) => noteId);
            for (const id of noteIds) {
              expect(told.has(id)).toBe(false);
              told.add(id);
            }
            toldDropped += taken.notesDropped;
            queue = removeNotes(queue, { noteIds, dropped: taken.notesDropped });
          }
        }
        expect(told.size + toldDropped + queue.notes.length + queue.notesDropped).toBe(added);
      }),
      { numRuns: 100 },
    );
  });
});
