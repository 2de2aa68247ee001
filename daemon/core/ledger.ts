import { LIMITS } from './limits.ts';
import { cutUtf8, cutWithMark } from './truncate.ts';

/** What the daemon knows by itself of the sessions so far. */
export type LedgerFacts = {
  readonly firstRequest: string | null;
  /** The oldest touch first. `hash` is the SHA-256 in hex; `wrote`: not only read. */
  readonly files: readonly {
    readonly path: string;
    readonly hash: string;
    readonly wrote?: boolean;
  }[];
  readonly decisions: readonly string[];
  readonly children: readonly string[];
};

const HASH_DIGITS = 12;
/** One decision or child, and all of either: with the first request they leave files their place. */
const NOTE_BYTES = 256;
const NOTES_BYTES = 1536;
const CUT = '…';

/** What follows the summary after a compaction, whatever the model wrote (COMP-11); empty sections are left out. */
export function ledgerText({ firstRequest, files, decisions, children }: LedgerFacts): string {
  const request =
    firstRequest === null ? [] : [cutWithMark(firstRequest, LIMITS.firstRequestBytes).text];
  const before = section('First request:', request);
  const after = [
    ...section('Open decisions:', notes(decisions)),
    ...section('Live children:', notes(children)),
  ];
  const used = [...before, ...after].reduce((sum, text) => sum + lineBytes(text) + 1, 0);
  return [...before, ...fileSections(files, LIMITS.ledgerBytes - used), ...after].join('\n\n');
}

function section(head: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [[head, ...lines].join('\n')];
}

function notes(texts: readonly string[]): string[] {
  const lines: string[] = [];
  let bytes = 0;
  for (const text of texts) {
    const line = `- ${shortened(onOneLine(text))}`;
    bytes += lineBytes(line);
    if (bytes > NOTES_BYTES) return [...lines, `[${texts.length - lines.length} more, not listed]`];
    lines.push(line);
  }
  return lines;
}

function fileSections(files: LedgerFacts['files'], bytesMax: number): string[] {
  const newestFirst = files.toReversed();
  const written = newestFirst.filter(({ wrote }) => wrote === true).map(fileLine);
  const read = newestFirst.filter(({ wrote }) => wrote !== true).map(fileLine);
  const sizeOf = (lines: readonly string[]): number =>
    lines.reduce((sum, line) => sum + lineBytes(line), 0);
  let [writtenShown, readShown] = [written.length, read.length];
  let bytes = sizeOf(written) + sizeOf(read) + sizeOf(['Files written:', 'Files read:', '', '']);
  const merged = (): string[] => [
    ...mergedLine(written.length - writtenShown),
    ...mergedLine(read.length - readShown),
  ];
  while (
    writtenShown + readShown > 0 &&
    (writtenShown + readShown > LIMITS.ledgerFiles || bytes + sizeOf(merged()) > bytesMax)
  )
    if (readShown > 0) {
      readShown -= 1;
      bytes -= lineBytes(read[readShown] ?? '');
    } else {
      writtenShown -= 1;
      bytes -= lineBytes(written[writtenShown] ?? '');
    }
  return [
    ...shownFiles('Files written:', written, writtenShown),
    ...shownFiles('Files read:', read, readShown),
  ];
}

function shownFiles(head: string, lines: readonly string[], shown: number): string[] {
  return section(head, [...lines.slice(0, shown), ...mergedLine(lines.length - shown)]);
}

function mergedLine(count: number): string[] {
  return count === 0 ? [] : [`[${count} older, not listed]`];
}

function fileLine({ path, hash }: LedgerFacts['files'][number]): string {
  return `- ${onOneLine(path)} ${hash.slice(0, HASH_DIGITS)}`;
}

function shortened(text: string): string {
  const kept = cutUtf8(text, NOTE_BYTES);
  return kept === text || Buffer.byteLength(text) <= NOTE_BYTES ? text : `${kept}${CUT}`;
}

function onOneLine(text: string): string {
  return text.replaceAll('\r', '\\r').replaceAll('\n', '\\n');
}

function lineBytes(line: string): number {
  return Buffer.byteLength(line) + 1;
}
