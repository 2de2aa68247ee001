import type { AutoRead } from '../core/compaction-layout.ts';
import { LIMITS } from '../core/limits.ts';
import { ok, refuse, type Result } from '../core/result.ts';
import type { Files } from '../ports/files.ts';
import type { Log } from '../ports/log.ts';
import { type FileSlice, type LineRange, readSlice } from './file-slice.ts';
import type { ReadInTime } from './read-in-time.ts';

type Mark = { readonly path: string; readonly range: LineRange; readonly tokens: number };

/** Files that go into the new history: some with their text, under a budget in tokens, others by name (COMP-3). */
export class MarkedFiles {
  readonly #files: Pick<Files, 'openForRead'>;
  readonly #inTime: ReadInTime;
  readonly #budget: number;
  #marks: Mark[] = [];
  #references: string[] = [];
  #turn: Promise<void> = Promise.resolve();

  constructor(files: Pick<Files, 'openForRead'>, inTime: ReadInTime, budget: number) {
    this.#files = files;
    this.#inTime = inTime;
    this.#budget = budget;
  }

  get references(): readonly string[] {
    return this.#references;
  }

  isEmpty(): boolean {
    return this.#marks.length + this.#references.length === 0;
  }

  clear(): void {
    this.#marks = [];
    this.#references = [];
  }

  /** Answers what to tell the model; a refusal costs nothing. Marks of one answer, asked for at once, take turns in their order. */
  mark(asked: string, range: LineRange, signal: AbortSignal): Promise<Result<string, string>> {
    const mine = this.#turn.then(() => this.#mark(asked, range, signal));
    this.#turn = mine.then(
      () => undefined,
      () => undefined,
    );
    return mine;
  }

  async #mark(
    asked: string,
    range: LineRange,
    signal: AbortSignal,
  ): Promise<Result<string, string>> {
    if (this.#budget === 0) return refuse('no file may be marked: the budget is 0');
    const left = this.#budget - this.#spent();
    const most = left * BYTES_PER_TOKEN;
    const read = await this.#read(asked, range, most, signal);
    if (!read.ok) return refuse(read.error);
    const { path, bytes } = read.value;
    if (this.#marks.some((mark) => mark.path === path && isSame(mark.range, range)))
      return ok(`${path} is marked already; ${this.#sayLeft()}`);
    if (this.#marks.length >= LIMITS.compactorFiles)
      return refuse(`at most ${LIMITS.compactorFiles} files may be marked`);
    const tokens = Math.ceil(bytes / BYTES_PER_TOKEN);
    if (tokens > left)
      return refuse(
        `over the budget: ${path} costs more than the ${left} tokens that remain of ${this.#budget}; mark fewer lines, or add it as a reference`,
      );
    this.#marks.push({ path, range, tokens });
    return ok(`marked ${path} for ${tokens} tokens; ${this.#sayLeft()}`);
  }

  refer(path: string): Result<string, string> {
    if (this.#references.includes(path)) return ok(`${path} is a reference already`);
    if (this.#references.length >= LIMITS.compactorFiles)
      return refuse(`at most ${LIMITS.compactorFiles} references may be added`);
    this.#references.push(path);
    return ok(`added ${path}`);
  }

  /** As they are now. What went away since it was marked, or hangs, is left out, and so is what has grown. */
  async read(log: Log, signal: AbortSignal): Promise<AutoRead[]> {
    const reads: AutoRead[] = [];
    for (const { path, range, tokens } of this.#marks) {
      // One that is written just now may end some bytes later.
      const most = 2 * tokens * BYTES_PER_TOKEN;
      const read = await this.#read(path, range, most, signal);
      if (!read.ok || read.value.bytes > most) {
        const why = read.ok ? 'it has grown' : read.error;
        log.warn('a file that the compactor marked is left out', { path, why });
        continue;
      }
      const { text, lastLine: lines } = read.value;
      const { offset, limit } = range;
      reads.push({
        path,
        ...(offset === undefined ? {} : { offset }),
        ...(limit === undefined ? {} : { limit }),
        text,
        lines,
      });
    }
    return reads;
  }

  /** Whether the Pod could read it. */
  async canRead(asked: string, signal: AbortSignal): Promise<boolean> {
    return (await this.#read(asked, { limit: 1 }, 0, signal)).ok;
  }

  #read(
    asked: string,
    range: LineRange,
    bytesMax: number,
    signal: AbortSignal,
  ): Promise<Result<FileSlice & { readonly path: string }, string>> {
    return this.#inTime(
      asked,
      async (within) => {
        const opened = await this.#files.openForRead(asked, within);
        if (!opened.ok) return refuse(opened.error.says);
        await using file = opened.value;
        return ok({ path: file.path, ...(await readSlice(file, range, bytesMax, within)) });
      },
      signal,
    );
  }

  #spent(): number {
    return this.#marks.reduce((sum, { tokens }) => sum + tokens, 0);
  }

  #sayLeft(): string {
    const left = this.#budget - this.#spent();
    const says = `${left} of ${this.#budget} tokens remain`;
    return left * 2 <= this.#budget ? `${says}: more than half is used, come to an end` : says;
  }
}

/** What a mark costs is reckoned by this, whatever the model. */
const BYTES_PER_TOKEN = 4;

function isSame(a: LineRange, b: LineRange): boolean {
  return (a.offset ?? 0) === (b.offset ?? 0) && a.limit === b.limit;
}
