import { LIMITS } from '../core/limits.ts';

/** Takes what it can of the bytes at once: how many, 0 if none just now, null if nobody will ever read them. */
export type Sink = (bytes: Uint8Array) => number | null;

export type LinesParts = {
  readonly sink: Sink;
  /** The line that tells how many are missing at its place, with its end. */
  readonly droppedLine: (count: number) => string;
  /** Calls back once, after `ms`; what it answers cancels that. It keeps no process alive. */
  readonly later: (ms: number, then: () => void) => () => void;
};

/**
 * Lines for a reader who may be slow, stopped or gone, written without ever waiting for them. What is not taken at once
 * waits in a bounded queue; beyond it whole lines are dropped and counted. A line that is half taken goes on first.
 */
export class StderrLines {
  readonly #parts: LinesParts;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #dropped = 0;
  #delayMs: number = LIMITS.stderrRetryMinMs;
  #cancelRetry: (() => void) | null = null;
  #over = false;

  constructor(parts: LinesParts) {
    this.#parts = parts;
  }

  /** `line` with its end. */
  write(line: string): void {
    if (this.#over) return;
    const bytes = Buffer.from(line, 'utf8');
    // Once full, it takes lines again only when half empty: a slow reader gets stretches, not every tenth line.
    const room = this.#dropped === 0 ? LIMITS.stderrQueueBytes : LIMITS.stderrQueueBytes / 2;
    // One longer than all that may wait is offered when nothing does; then it alone may wait beyond the limit.
    const isAlone = this.#waiting.length === 0 && this.#dropped === 0;
    if (this.#waitingBytes + bytes.length > room && !isAlone) this.#dropped += 1;
    else {
      this.#tellDropped();
      this.#push(bytes);
    }
    if (this.#cancelRetry === null) this.#flush();
  }

  /** Tries once more, and gives up what is left. */
  close(): void {
    if (this.#over) return;
    this.#cancelRetry?.();
    this.#flush();
    this.#end();
  }

  #push(bytes: Buffer): void {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
  }

  #tellDropped(): void {
    if (this.#dropped === 0) return;
    this.#push(Buffer.from(this.#parts.droppedLine(this.#dropped), 'utf8'));
    this.#dropped = 0;
  }

  #flush(): void {
    for (;;) {
      if (this.#waiting.length === 0) this.#tellDropped();
      const [head] = this.#waiting;
      if (head === undefined) return;
      const taken = this.#parts.sink(head);
      if (taken === null) {
        this.#end();
        return;
      }
      this.#waitingBytes -= taken;
      if (taken > 0) this.#delayMs = LIMITS.stderrRetryMinMs;
      if (taken < head.length) {
        this.#waiting[0] = head.subarray(taken);
        this.#retryLater();
        return;
      }
      this.#waiting.shift();
    }
  }

  #retryLater(): void {
    this.#cancelRetry = this.#parts.later(this.#delayMs, () => {
      this.#cancelRetry = null;
      this.#flush();
    });
    this.#delayMs = Math.min(2 * this.#delayMs, LIMITS.stderrRetryMaxMs);
  }

  #end(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    this.#over = true;
    this.#waiting = [];
    this.#waitingBytes = 0;
  }
}
