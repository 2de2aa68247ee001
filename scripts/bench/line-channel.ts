import { EventEmitter, once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { withDeadline } from '../../daemon/support/with-deadline.ts';

/** A line, and when the chunk that ended it came. */
export type Line = { readonly text: string; readonly at: number };

/** Lines to and from another process. Each wait has a deadline. */
export class LineChannel {
  readonly #what: string;
  readonly #output: Writable;
  readonly #heard = new EventEmitter<{ line: [] }>();
  readonly #lines: Line[] = [];
  #rest = '';
  #ended = false;

  constructor(what: string, input: Readable, output: Writable) {
    this.#what = what;
    this.#output = output;
    input.setEncoding('utf8').on('data', (text: string) => {
      this.#take(text, performance.now());
    });
    // The other side may go first; whoever waits for a line of it is told.
    output.on('error', () => {
      this.#end();
    });
    input.on('error', () => {
      this.#end();
    });
    input.on('close', () => {
      this.#end();
    });
  }

  send(line: string): void {
    this.#output.write(`${line}\n`);
  }

  async next(signal: AbortSignal, limitMs = 30_000): Promise<Line> {
    const limit = { what: `a line of ${this.#what}`, ms: limitMs };
    return await withDeadline(signal, limit, async (within) => {
      for (;;) {
        const line = this.#lines.shift();
        if (line !== undefined) return line;
        if (this.#ended) throw new Error(`${this.#what} ended before it answered`);
        await once(this.#heard, 'line', { signal: within }).catch((error: unknown) => {
          within.throwIfAborted();
          throw error;
        });
      }
    });
  }

  #take(text: string, at: number): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#lines.push({ text: line, at });
    if (lines.length > 0) this.#heard.emit('line');
  }

  #end(): void {
    this.#ended = true;
    this.#heard.emit('line');
  }
}
