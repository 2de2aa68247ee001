/**
 * Places for lines that are long and not whole yet. Every connection may hold a short one; only so many may hold a
 * long one at a time, the others are not read from meanwhile: the memory of all unfinished lines together has a bound.
 */
export class LargeLines {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(places: number) {
    this.#free = places;
  }

  /** Calls `begin` when there is a place, maybe at once. The answer gives it back, or up; call it once. */
  take(begin: () => void): () => void {
    let began = false;
    const enter = (): void => {
      began = true;
      begin();
    };
    if (this.#free > 0) {
      this.#free -= 1;
      enter();
    } else this.#waiting.add(enter);
    return () => {
      if (began) this.#pass();
      else this.#waiting.delete(enter);
    };
  }

  // In the order they came.
  #pass(): void {
    for (const enter of this.#waiting) {
      this.#waiting.delete(enter);
      enter();
      return;
    }
    this.#free += 1;
  }
}
