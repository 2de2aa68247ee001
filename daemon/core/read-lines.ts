/** Which lines of a text are wanted. `offset` counts from 0; `bytesMax` bounds what they come to in UTF-8. */
export type LineWindow = {
  readonly offset: number;
  readonly limit: number;
  readonly lineUnitsMax: number;
  readonly bytesMax: number;
};

const CUT_MARK = '… [line cut]';

/**
 * Takes a text in pieces and keeps the lines of a window, numbered from 1 as `%6d<TAB>`; of the rest only the count.
 * Memory is bounded by the window whatever the text is. A line ends with LF or CRLF.
 */
export class LineReader {
  readonly #window: LineWindow;
  readonly #kept: string[] = [];
  #keptBytes = 0;
  #full = false;
  #linesSeen = 0;
  /** The line that has not ended yet: its start, and whether more of it came than is kept. */
  #open = '';
  #openCut = false;
  #openHasText = false;

  constructor(window: LineWindow) {
    this.#window = window;
  }

  push(text: string): void {
    let at = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', at)) {
      this.#extend(text, at, end);
      this.#endLine();
      at = end + 1;
    }
    this.#extend(text, at, text.length);
  }

  /** The text is over: a last line without a line feed is a line too. */
  end(): void {
    if (this.#openHasText) this.#endLine();
  }

  /** Nothing that is still to come, but for `end`, can change the lines kept. */
  get satisfied(): boolean {
    const wanted = this.#window.offset + this.#window.limit;
    return this.#full || this.#linesSeen + (this.#openCut ? 1 : 0) >= wanted;
  }

  /** Complete lines so far, kept or not. */
  get linesSeen(): number {
    return this.#linesSeen;
  }

  get lines(): readonly string[] {
    return this.#kept;
  }

  #extend(text: string, start: number, end: number): void {
    if (start === end) return;
    this.#openHasText = true;
    if (this.#openCut || !this.#wantsNext()) return;
    // One more than fits, so that a carriage return at the end is not taken for a cut.
    const room = this.#window.lineUnitsMax + 1 - this.#open.length;
    this.#open += text.slice(start, Math.min(end, start + room));
    this.#openCut = end - start > room;
  }

  #endLine(): void {
    if (this.#wantsNext()) this.#keep(this.#lineText());
    this.#linesSeen += 1;
    this.#open = '';
    this.#openCut = false;
    this.#openHasText = false;
  }

  #keep(line: string): void {
    const numbered = `${String(this.#linesSeen + 1).padStart(6)}\t${line}`;
    const bytes = Buffer.byteLength(numbered) + 1;
    if (this.#kept.length > 0 && this.#keptBytes + bytes > this.#window.bytesMax) {
      this.#full = true;
      return;
    }
    this.#kept.push(numbered);
    this.#keptBytes += bytes;
  }

  #lineText(): string {
    const max = this.#window.lineUnitsMax;
    const line = !this.#openCut && this.#open.endsWith('\r') ? this.#open.slice(0, -1) : this.#open;
    if (!this.#openCut && line.length <= max) return line;
    const kept = line.slice(0, max);
    // Half of a surrogate pair would become U+FFFD on the wire.
    return `${/[\uD800-\uDBFF]$/.test(kept) ? kept.slice(0, -1) : kept}${CUT_MARK}`;
  }

  #wantsNext(): boolean {
    const { offset, limit } = this.#window;
    return !this.#full && this.#linesSeen >= offset && this.#linesSeen < offset + limit;
  }
}
