import { LIMITS } from '../core/limits.ts';
import type { Control } from './pod-events.ts';

/** What waits and could not begin is tried again by a timer; at most one is under way for inputs, and one for notes. */
export class TryLater {
  readonly #after: (ms: number, event: Control) => void;
  /** The disk refused what would have moved the queue on. */
  #isHeld = false;
  #isQueueDue = false;
  #areNotesDue = false;
  /** Runs for notes that could not begin, in a row. */
  #failedNotes = 0;

  constructor(after: (ms: number, event: Control) => void) {
    this.#after = after;
  }

  holdQueue(): void {
    this.#isHeld = true;
    if (this.#isQueueDue) return;
    this.#isQueueDue = true;
    this.#after(LIMITS.queueRetryMs, { kind: 'queueDue' });
  }

  /** Asked once: what was held is then waited for. */
  wasHeld(): boolean {
    const was = this.#isHeld;
    this.#isHeld = false;
    return was;
  }

  queueIsDue(): void {
    this.#isQueueDue = false;
  }

  /** Notes hold up nothing else: what they could not begin of may be their own matter, such as a template. */
  holdNotes(): void {
    if (this.#areNotesDue) return;
    this.#areNotesDue = true;
    const ms = Math.min(LIMITS.queueRetryMs * 2 ** this.#failedNotes, LIMITS.noteRetryMaxMs);
    this.#failedNotes += 1;
    this.#after(ms, { kind: 'notesDue' });
  }

  notesAreDue(): void {
    this.#areNotesDue = false;
  }

  notesBegan(): void {
    this.#failedNotes = 0;
  }
}
