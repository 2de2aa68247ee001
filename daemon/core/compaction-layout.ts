import type { Item } from '../../protocol/items.ts';

/** A file, or some lines of it, that a compaction carries over. */
export type AutoRead = {
  readonly path: string;
  /** Lines left out before it, from 0; missing: it begins with the first. */
  readonly offset?: number;
  /** Lines asked for; missing: to the end. */
  readonly limit?: number;
  /** Raw, without line numbers. */
  readonly text: string;
  /** How many lines the whole file has. */
  readonly lines: number;
};

const SUMMARY_HEAD = '[Compacted context summary]\n\n';
const LEDGER_HEAD = '[Ledger]\n';
const AUTO_READ_HEAD = /^\[Auto-read file: [^\n]*\]\n/;
const REFERENCE = '- ';
const REFERENCES_HINT =
  'These files were of use and are not shown here. Use Read where one is needed.';

/** The history after a compaction (COMP-6): `[summary, ledger, auto-reads…, references, …tail]`. */
export function layoutHistory(parts: {
  readonly summary: string;
  readonly ledger: string;
  readonly autoReads: readonly AutoRead[];
  readonly references: readonly string[];
  readonly tail: readonly Item[];
}): Item[] {
  const { references } = parts;
  return [
    system(`${SUMMARY_HEAD}${parts.summary}`),
    system(`${LEDGER_HEAD}${parts.ledger}`),
    ...parts.autoReads.map((read) => system(autoReadText(read))),
    ...(references.length === 0 ? [] : [system(referencesText(references))]),
    ...parts.tail,
  ];
}

/** How many items a compaction put at the beginning; 0: this history was never compacted. */
export function headLength(items: readonly Item[]): number {
  if (summaryOf(items) === null) return 0;
  let at = 1;
  if (systemText(items[at])?.startsWith(LEDGER_HEAD) === true) at += 1;
  while (AUTO_READ_HEAD.test(systemText(items[at]) ?? '')) at += 1;
  return isReferences(systemText(items[at]) ?? '') ? at + 1 : at;
}

/** Null where the first item is no summary. */
export function summaryOf(items: readonly Item[]): string | null {
  const text = systemText(items[0]);
  return text?.startsWith(SUMMARY_HEAD) === true ? text.slice(SUMMARY_HEAD.length) : null;
}

/** Of a ledger or an auto-read its first line, of any other text the whole (COMP-4). */
export function withoutBody(text: string): string {
  const hasBody = text.startsWith(LEDGER_HEAD) || AUTO_READ_HEAD.test(text);
  return hasBody ? text.slice(0, text.indexOf('\n')) : text;
}

function system(text: string): Item {
  return { type: 'message', role: 'system', content: [{ type: 'text', text }] };
}

function systemText(item: Item | undefined): string | null {
  if (item?.type !== 'message' || item.role !== 'system') return null;
  return item.content.map((part) => (part.type === 'text' ? part.text : part.refusal)).join('');
}

function autoReadText({ path, offset, limit, text, lines }: AutoRead): string {
  const first = (offset ?? 0) + 1;
  const last = limit === undefined ? '' : Math.min(first - 1 + limit, lines);
  const range = offset === undefined && limit === undefined ? '' : `:${first}-${last}`;
  return `[Auto-read file: ${onOneLine(path)}${range}]\n${text}`;
}

function referencesText(references: readonly string[]): string {
  return [...references.map((path) => `${REFERENCE}${onOneLine(path)}`), REFERENCES_HINT].join(
    '\n',
  );
}

function isReferences(text: string): boolean {
  return text.startsWith(REFERENCE) && text.endsWith(`\n${REFERENCES_HINT}`);
}

// A file's name may hold a line feed, and what follows it would look like text of ours.
function onOneLine(path: string): string {
  return path.replaceAll('\n', '\\n');
}
