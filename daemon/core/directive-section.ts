/** The five parts of a summary (COMP-5). */
export const SUMMARY_SECTIONS = [
  'Completed Tasks',
  'Active Task',
  'Key Decisions',
  'User Directives',
  'Current Work',
] as const;

/** `start` and `end` are places in the summary, of whole lines; `end` is behind the last line feed. */
export type SectionPart = {
  readonly start: number;
  readonly end: number;
  /** 0, 1, …: a model may head more than one section with that name. */
  readonly section: number;
  /** Number of directives that an earlier cut left out, where this is the line that says so. */
  readonly leftOut: number | null;
  /** Of an entry: without its bullet, its indentation and quotes around it. */
  readonly text: string;
};

export type DirectiveSection = {
  readonly parts: readonly SectionPart[];
  /** All lines of the section, as they are. */
  readonly text: string;
};

const NAMES = SUMMARY_SECTIONS.map((name) => name.replace(' ', '\\s+')).join('|');
/** `## User Directives`, `**4. User Directives (verbatim):**`, `user directives`. */
const SECTION = new RegExp(
  `^\\s*(#{1,6}\\s+)?[*_]*(?:\\d+[.)]\\s+)?[*_]*(${NAMES})[*_:\\s]*(?:\\([^()]*\\))?[*_:\\s]*#*\\s*$`,
  'i',
);
const SECTION_UNITS = 200;
const HEADING = /^ {0,3}(#{1,6})\s/;
const BULLET = /^(\s*)(?:[-*+•]|\d{1,9}[.)])\s+/;
const FENCE = /^\s*(?:[-*+•]\s+|\d{1,9}[.)]\s+)?(?:```|~~~)/;
const RULE = /^\s*[-=*_]{3,}\s*$/;
const LEFT_OUT = /^\s*(?:[-*+•]\s+)?\[(\d{1,9}) older directives? left out\]\s*$/;
const NONE = /^[\s*_([]*none(?: so far)?[\s*_)\].]*$/i;

export function leftOutLine(count: number): string {
  return `[${count} older ${count === 1 ? 'directive' : 'directives'} left out]`;
}

type Line = { readonly text: string; readonly start: number; readonly end: number };
type OpenEntry = {
  readonly section: number;
  readonly indent: number;
  /** Width of the bullet and what is before it; 0: a paragraph. */
  readonly bullet: number;
  readonly lines: Line[];
  fenced: boolean;
  afterBlank: boolean;
};

/** Reads the user's directives out of a summary as models write them, by line. */
export function readDirectives(summary: string): DirectiveSection {
  const reader = new SectionReader();
  for (const line of linesOf(summary)) reader.take(line);
  return reader.end();
}

class SectionReader {
  readonly #parts: SectionPart[] = [];
  readonly #lines: string[] = [];
  #section = -1;
  /** Of the section's heading; null: outside of it. */
  #level: number | null = null;
  #open: OpenEntry | null = null;

  take(line: Line): void {
    const heading = line.text.length <= SECTION_UNITS ? SECTION.exec(line.text) : null;
    if (heading !== null) this.#enter(heading);
    else if (this.#level !== null) {
      if (this.#endsSection(line.text, this.#level)) this.#leave();
      else {
        this.#lines.push(line.text);
        this.#takeInside(line);
      }
    }
  }

  end(): DirectiveSection {
    this.#leave();
    return { parts: this.#parts, text: this.#lines.join('\n') };
  }

  #enter([, marks, name = '']: RegExpExecArray): void {
    this.#leave();
    if (!/^user/i.test(name)) return;
    this.#section += 1;
    // Where it is no heading of markdown's, any of those ends it.
    this.#level = marks?.trim().length ?? 6;
  }

  #leave(): void {
    this.#close();
    this.#level = null;
  }

  #endsSection(text: string, level: number): boolean {
    if (this.#open?.fenced === true) return false;
    const marks = HEADING.exec(text)?.[1];
    return marks !== undefined && marks.length <= level;
  }

  #takeInside(line: Line): void {
    const open = this.#open;
    if (open?.fenced === true) this.#append(open, line);
    else if (line.text.trim() === '') {
      if (open !== null) open.afterBlank = true;
    } else if (LEFT_OUT.test(line.text)) {
      this.#close();
      const leftOut = Number(LEFT_OUT.exec(line.text)?.[1]);
      this.#parts.push({ ...placeOf(line, line), section: this.#section, leftOut, text: '' });
    } else if (RULE.test(line.text)) this.#close();
    else if (open !== null && belongsTo(line.text, open)) this.#append(open, line);
    else {
      this.#close();
      this.#open = {
        section: this.#section,
        indent: indentOf(line.text),
        bullet: BULLET.exec(line.text)?.[0].length ?? 0,
        lines: [line],
        fenced: FENCE.test(line.text),
        afterBlank: false,
      };
    }
  }

  #append(open: OpenEntry, line: Line): void {
    if (FENCE.test(line.text)) open.fenced = !open.fenced;
    open.lines.push(line);
    open.afterBlank = false;
  }

  #close(): void {
    const open = this.#open;
    this.#open = null;
    const [first, last] = [open?.lines[0], open?.lines.at(-1)];
    if (open === null || first === undefined || last === undefined) return;
    const text = entryText(open);
    if (text === '' || NONE.test(text)) return;
    this.#parts.push({ ...placeOf(first, last), section: open.section, leftOut: null, text });
  }
}

function belongsTo(text: string, { indent, bullet, afterBlank }: OpenEntry): boolean {
  // A bullet one column further in is a careless one, not one below the other.
  if (BULLET.test(text)) return bullet > 0 && indentOf(text) > indent + 1;
  return !afterBlank || (bullet > 0 && indentOf(text) > indent);
}

function entryText({ lines, bullet }: OpenEntry): string {
  const bare = lines.map(({ text }, index) =>
    index === 0 ? text.slice(bullet) : text.replace(/^\s*/, (all) => all.slice(bullet)),
  );
  const isQuote = bare.every((text) => text.trimStart().startsWith('>'));
  const plain = isQuote ? bare.map((text) => text.replace(/^\s*> ?/, '')) : bare;
  return unquoted(
    plain
      .map((text) => text.trimEnd())
      .join('\n')
      .trim(),
  );
}

function unquoted(text: string): string {
  const pairs = ['""', "''", '``', '“”', '„“', '„”', '‘’', '«»'];
  const inner = text.slice(1, -1);
  const isQuoted =
    text.length > 2 &&
    pairs.some(
      ([open = '', close = '']) =>
        text.startsWith(open) && text.endsWith(close) && isOnePair(inner, open, close),
    );
  return isQuoted ? inner.trim() : text;
}

/** `"A" and "B"` begins and ends with a quote too, but they are two. */
function isOnePair(inner: string, open: string, close: string): boolean {
  for (let at = 0; at < inner.length; at += 1) {
    const letter = inner.charAt(at);
    const before = inner.charAt(at - 1);
    const isApostrophe = /\p{L}/u.test(before) && /\p{L}/u.test(inner.charAt(at + 1));
    if ((letter !== open && letter !== close) || isApostrophe) continue;
    return letter === open && (open !== close || /\s/.test(before));
  }
  return true;
}

function linesOf(text: string): Line[] {
  let start = 0;
  return text.split('\n').map((line) => {
    const end = Math.min(text.length, start + line.length + 1);
    const place = { text: line, start, end };
    start = end;
    return place;
  });
}

function placeOf(first: Line, last: Line): { readonly start: number; readonly end: number } {
  return { start: first.start, end: last.end };
}

function indentOf(text: string): number {
  return (/^\s*/.exec(text)?.[0] ?? '').replaceAll('\t', '    ').length;
}
