import { leftOutLine, readDirectives, type SectionPart } from './directive-section.ts';
import { LIMITS } from './limits.ts';

export { SUMMARY_SECTIONS } from './directive-section.ts';

/** What the user asked for once and for all, word for word, as the summary has it (COMP-5). */
export function directivesOf(summary: string): string[] {
  return readDirectives(summary)
    .parts.filter(isEntry)
    .map(({ text }) => text);
}

/** Those that the summary's section does not hold any more (COMP-10); white space and the kind of quotes may differ. */
export function missingDirectives(before: readonly string[], summary: string): string[] {
  const section = normalised(readDirectives(summary).text);
  return before.filter((directive) => !holds(section, normalised(directive)));
}

/** Leaves out the oldest where all are over the limit (COMP-11); `dropped` counts those of this time, the line all. */
export function capDirectives(summary: string): {
  readonly summary: string;
  readonly dropped: number;
} {
  const { parts } = readDirectives(summary);
  const dropped = oldestOverLimit(parts.filter(isEntry));
  if (dropped === 0) return { summary, dropped };
  const gone = parts.slice(0, firstKept(parts, dropped));
  const leftOut = gone.reduce((sum, part) => sum + (part.leftOut ?? 1), 0);
  let text = '';
  let at = 0;
  for (const [index, part] of gone.entries()) {
    const next = parts[index + 1];
    text += summary.slice(at, part.start);
    at = next?.section === part.section ? next.start : part.end;
    if (index === 0) text += `${leftOutLine(leftOut)}${summary[at - 1] === '\n' ? '\n' : ''}`;
  }
  return { summary: text + summary.slice(at), dropped };
}

function isEntry({ leftOut }: SectionPart): boolean {
  return leftOut === null;
}

function oldestOverLimit(entries: readonly SectionPart[]): number {
  let bytes = entries.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
  let count = 0;
  for (const { text } of entries) {
    if (bytes <= LIMITS.directiveBytes) break;
    bytes -= Buffer.byteLength(text);
    count += 1;
  }
  return count;
}

/** Lines of earlier cuts go with what is around them; one behind an entry that stays keeps it from the next. */
function firstKept(parts: readonly SectionPart[], dropped: number): number {
  let entries = 0;
  const at = parts.findIndex((part) => {
    if (isEntry(part)) entries += 1;
    return entries > dropped;
  });
  return at === -1 ? parts.length : at;
}

function normalised(text: string): string {
  return text
    .replaceAll(/^[ \t]*(?:>[ \t]?)+/gm, '')
    .replaceAll(/["'`´“”„‟‘’‚‛«»‹›]/g, "'")
    .replaceAll(/\s+/g, ' ')
    .trim();
}

/** As whole words: "be brief" is not kept by "be briefer". */
function holds(text: string, words: string): boolean {
  for (let at = text.indexOf(words); at !== -1; at = text.indexOf(words, at + 1)) {
    const end = at + words.length;
    if (!isInsideWord(text, at) && !isInsideWord(text, end)) return true;
  }
  return false;
}

function isInsideWord(text: string, at: number): boolean {
  return /^[\p{L}\p{N}]{2}$/u.test(text.slice(Math.max(0, at - 1), at + 1));
}
