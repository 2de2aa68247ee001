import { ok, refuse } from './result.ts';
import type { Result } from './result.ts';

/**
 * One edit of a text. Models see files without carriage returns, so what they quote has bare line feeds: such a
 * quote also matches CRLF, and what replaces it takes the line endings of the place. A quote that has a carriage
 * return itself is meant to the letter.
 */
export type TextEdit = {
  readonly oldText: string;
  readonly newText: string;
  readonly occurrences: 'one' | 'all';
};

/** Where text was replaced: offsets in UTF-16 units, `line` counted from 1. */
export type Replacement = {
  readonly before: { readonly start: number; readonly end: number; readonly line: number };
  readonly after: { readonly start: number; readonly end: number; readonly line: number };
};

export type EditedText = { readonly text: string; readonly replaced: readonly Replacement[] };

export type EditRefusal =
  | { readonly kind: 'empty' | 'same' | 'missing' | 'too_many' | 'too_large' }
  /** `lines` has the first few lines on which it starts. */
  | { readonly kind: 'ambiguous'; readonly count: number; readonly lines: readonly number[] };

export type EditBounds = { readonly matches: number; readonly textUnits: number };

const LINES_TOLD = 10;

/** All or nothing. `one` refuses a quote that stands at more than one place, overlapping ones counted. */
export function applyEdit(
  text: string,
  edit: TextEdit,
  bounds: EditBounds,
): Result<EditedText, EditRefusal> {
  if (edit.oldText === '') return refuse({ kind: 'empty' });
  if (edit.oldText === edit.newText) return refuse({ kind: 'same' });
  const matches: Match[] = [];
  for (const match of findMatches(text, edit)) {
    if (matches.length === bounds.matches) return refuse({ kind: 'too_many' });
    matches.push(match);
  }
  if (matches.length === 0) return refuse({ kind: 'missing' });
  if (matches.length > 1 && edit.occurrences === 'one') {
    const lines = countLines(text, matches.slice(0, LINES_TOLD));
    return refuse({ kind: 'ambiguous', count: matches.length, lines });
  }
  // Checked before it is built: a long text at many places may be more than a string can hold.
  const longest = edit.newText.length + countBreaks(edit.newText);
  const grown = matches.reduce((sum, { start, end }) => sum + longest - (end - start), 0);
  if (text.length + grown > bounds.textUnits) return refuse({ kind: 'too_large' });
  const edited = replaceMatches(text, matches, edit);
  return edited.text === text ? refuse({ kind: 'same' }) : ok(edited);
}

type Match = { readonly start: number; readonly end: number };

function* findMatches(text: string, { oldText, occurrences }: TextEdit): Generator<Match> {
  const step = (match: Match): number => (occurrences === 'all' ? match.end : match.start + 1);
  if (!isLoose(oldText) || !text.includes('\r\n')) {
    for (let at = text.indexOf(oldText); at !== -1; ) {
      const match = { start: at, end: at + oldText.length };
      yield match;
      at = text.indexOf(oldText, step(match));
    }
    return;
  }
  const pattern = loosePattern(oldText);
  for (let found = pattern.exec(text); found !== null; found = pattern.exec(text)) {
    const match = { start: found.index, end: found.index + found[0].length };
    yield match;
    pattern.lastIndex = step(match);
  }
}

function isLoose(oldText: string): boolean {
  return oldText.includes('\n') && !oldText.includes('\r');
}

function loosePattern(oldText: string): RegExp {
  const literal = oldText.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  // A line feed stands for a whole CRLF, never for the second half of one.
  return new RegExp(literal.replaceAll('\n', '(?:\\r\\n|(?<!\\r)\\n)'), 'g');
}

function replaceMatches(text: string, matches: readonly Match[], edit: TextEdit): EditedText {
  const pieces: string[] = [];
  const replaced: Replacement[] = [];
  let taken = 0;
  let length = 0;
  let lineBefore = 1;
  let lineAfter = 1;
  for (const { start, end } of matches) {
    const between = text.slice(taken, start);
    const newText = withEndingsOf(text, { start, end }, edit);
    lineBefore += countBreaks(between);
    lineAfter += countBreaks(between);
    length += between.length;
    replaced.push({
      before: { start, end, line: lineBefore },
      after: { start: length, end: length + newText.length, line: lineAfter },
    });
    pieces.push(between, newText);
    lineBefore += countBreaks(text.slice(start, end));
    lineAfter += countBreaks(newText);
    length += newText.length;
    taken = end;
  }
  pieces.push(text.slice(taken));
  return { text: pieces.join(''), replaced };
}

function withEndingsOf(text: string, { start, end }: Match, edit: TextEdit): string {
  if (edit.oldText.includes('\r') || !edit.newText.includes('\n')) return edit.newText;
  // Line by line, so that a place with mixed endings keeps those of the lines that only change inside.
  const endings = text.slice(start, end).match(/\r?\n/g) ?? [endingNear(text, { start, end })];
  let line = 0;
  return edit.newText.replace(/\r?\n/g, () => {
    const ending = endings[Math.min(line, endings.length - 1)];
    line += 1;
    return ending ?? '\n';
  });
}

// The ending of the line that the match stands on; on the last line, that of the line before.
function endingNear(text: string, { start, end }: Match): string {
  const next = text.indexOf('\n', end);
  const at = next === -1 ? text.lastIndexOf('\n', start) : next;
  return at > 0 && text[at - 1] === '\r' ? '\r\n' : '\n';
}

function countLines(text: string, matches: readonly Match[]): number[] {
  let line = 1;
  let counted = 0;
  return matches.map(({ start }) => {
    line += countBreaks(text.slice(counted, start));
    counted = start;
    return line;
  });
}

function countBreaks(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count += 1;
  return count;
}
