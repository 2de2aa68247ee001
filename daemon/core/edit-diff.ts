import type { EditedText, Replacement } from './text-edit.ts';

/** What bounds a diff that a model reads: whole diffs belong in a version control system. */
export type DiffBounds = {
  readonly hunks: number;
  /** Lines of one hunk, removed and added ones each. */
  readonly hunkLines: number;
  readonly lineUnits: number;
  readonly contextLines: number;
};

/**
 * The replaced places as hunks: `@@ line N @@` (1-based, in the new text), unchanged lines after a space, old ones
 * after `-`, new ones after `+`. What is left out is said. Needs no search for differences: they are known.
 */
export function renderEdit(before: string, edited: EditedText, bounds: DiffBounds): string {
  const groups = groupByLine(before, edited);
  const hunks = groups
    .slice(0, bounds.hunks)
    .map((group) => renderHunk(before, edited.text, group, bounds));
  const left = groups.length - hunks.length;
  if (left > 0) hunks.push(`[${left} more ${left === 1 ? 'place' : 'places'} not shown]`);
  return hunks.join('\n');
}

// Replacements that share a line are one change of that line.
function groupByLine(before: string, { replaced }: EditedText): Replacement[] {
  const groups: Replacement[] = [];
  for (const next of replaced) {
    const last = groups.at(-1);
    if (last !== undefined && !before.slice(last.before.end, next.before.start).includes('\n')) {
      groups[groups.length - 1] = {
        before: { ...last.before, end: next.before.end },
        after: { ...last.after, end: next.after.end },
      };
    } else groups.push(next);
  }
  return groups;
}

function renderHunk(before: string, after: string, place: Replacement, bounds: DiffBounds): string {
  const old = wholeLines(before, place.before);
  const now = wholeLines(after, place.after);
  const removed = toLines(before, old);
  const added = toLines(after, now);
  const same = commonStart(removed, added);
  removed.splice(0, same);
  const unchangedHead = added.splice(0, same);
  const tail = commonStart([...removed].reverse(), [...added].reverse());
  removed.splice(removed.length - tail, tail);
  const unchangedTail = added.splice(added.length - tail, tail);
  const head = [...linesBefore(after, now.start, bounds.contextLines), ...unchangedHead];
  const foot = [...unchangedTail, ...linesAfter(after, now.end, bounds.contextLines)];
  return [
    `@@ line ${place.after.line + same} @@`,
    ...head.slice(-bounds.contextLines).map((line) => ` ${shorten(line, bounds)}`),
    ...marked('-', removed, bounds),
    ...marked('+', added, bounds),
    ...foot.slice(0, bounds.contextLines).map((line) => ` ${shorten(line, bounds)}`),
  ].join('\n');
}

type Span = { readonly start: number; readonly end: number };

// From the start of the first line touched to the end of the last, its line feed not included.
function wholeLines(text: string, { start, end }: Span): Span {
  const stop = text.indexOf('\n', end);
  return {
    start: start === 0 ? 0 : text.lastIndexOf('\n', start - 1) + 1,
    end: stop === -1 ? text.length : stop,
  };
}

function toLines(text: string, { start, end }: Span): string[] {
  return text.slice(start, end).split('\n');
}

function linesBefore(text: string, start: number, count: number): string[] {
  const lines: string[] = [];
  for (let end = start - 1; end >= 0 && lines.length < count; ) {
    const from = end === 0 ? 0 : text.lastIndexOf('\n', end - 1) + 1;
    lines.unshift(text.slice(from, end));
    end = from - 1;
  }
  return lines;
}

function linesAfter(text: string, end: number, count: number): string[] {
  const lines: string[] = [];
  // What follows the last line feed is a line only if it has something in it.
  for (let start = end + 1; start < text.length && lines.length < count; ) {
    const stop = text.indexOf('\n', start);
    lines.push(text.slice(start, stop === -1 ? text.length : stop));
    start = stop === -1 ? text.length : stop + 1;
  }
  return lines;
}

function commonStart(a: readonly string[], b: readonly string[]): number {
  let count = 0;
  while (count < a.length && count < b.length && a[count] === b[count]) count += 1;
  return count;
}

function marked(mark: string, lines: readonly string[], bounds: DiffBounds): string[] {
  const shown = lines.slice(0, bounds.hunkLines).map((line) => `${mark}${shorten(line, bounds)}`);
  const left = lines.length - shown.length;
  return left > 0 ? [...shown, `${mark}[${left} more]`] : shown;
}

function shorten(line: string, { lineUnits }: DiffBounds): string {
  const bare = line.endsWith('\r') ? line.slice(0, -1) : line;
  return bare.length <= lineUnits
    ? bare
    : `${bare.slice(0, lineUnits).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
