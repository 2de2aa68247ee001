/** Timers that go off when a test says so. */
export class ManualTimers {
  nowMs = 0;
  #waiting: { readonly atMs: number; readonly then: () => void }[] = [];

  readonly monotonicMs = (): number => this.nowMs;

  readonly later = (ms: number, then: () => void): (() => void) => {
    const timer = { atMs: this.nowMs + ms, then };
    this.#waiting.push(timer);
    return () => {
      this.#waiting = this.#waiting.filter((one) => one !== timer);
    };
  };

  /** What is waited for now, in milliseconds from now. */
  pending(): number[] {
    return this.#waiting.map(({ atMs }) => atMs - this.nowMs).sort((a, b) => a - b);
  }

  /** Goes on by `ms`; what is due on the way goes off at its time. */
  pass(ms: number): void {
    const endMs = this.nowMs + ms;
    for (;;) {
      const [next] = this.#waiting
        .filter(({ atMs }) => atMs <= endMs)
        .sort((a, b) => a.atMs - b.atMs);
      if (next === undefined) break;
      this.#waiting = this.#waiting.filter((one) => one !== next);
      this.nowMs = next.atMs;
      next.then();
    }
    this.nowMs = endMs;
  }
}
