import { invariant } from '../core/assert.ts';

/**
 * The one way into a Pod. Control goes first and is never refused; work is bounded. One reader takes events one at a
 * time, in order within a lane.
 */
export class Inbox<Control, Work> {
  readonly #workMax: number;
  readonly #control: Control[] = [];
  readonly #work: Work[] = [];
  #wake: (() => void) | undefined;

  constructor(workMax: number) {
    this.#workMax = workMax;
  }

  pushControl(event: Control): void {
    this.#control.push(event);
    this.#wake?.();
  }

  /** Answers false when the lane is full. */
  pushWork(event: Work): boolean {
    if (this.#work.length >= this.#workMax) return false;
    this.#work.push(event);
    this.#wake?.();
    return true;
  }

  async next(): Promise<Control | Work> {
    invariant(this.#wake === undefined, 'an inbox has one reader');
    for (;;) {
      const event = this.#control.shift() ?? this.#work.shift();
      if (event !== undefined) return event;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }

  /** Takes out what nobody will read any more. */
  drain(): (Control | Work)[] {
    return [...this.#control.splice(0), ...this.#work.splice(0)];
  }
}
