/** Lines of a file: `offset` of them, from 0, are passed over, `limit` are taken; missing: to the end. */
type FileRange = {
  readonly path: string;
  readonly offset?: number;
  readonly limit?: number;
};

type PrefixAnswer = {
  readonly summary: string;
  /** In the order in which they were said, each once. */
  readonly reads: readonly FileRange[];
  readonly references: readonly string[];
};

/** Models like to write lists as lists. */
const LINE = /^\s*(?:[-*] )?(READ|REFERENCE):\s*(.*)$/s;
const RANGE = /^(.*):(\d{1,9})-(\d{1,9})?$/s;

/**
 * The answer to the compaction request of COMP-16: a summary, and behind it lines `READ: /path`, `READ: /path:a-b`
 * (lines from 1; `a-`: to the end) and `REFERENCE: /path`. Paths that are not absolute are passed over.
 */
export function parsePrefixAnswer(text: string): PrefixAnswer {
  const summary: string[] = [];
  const reads = new Map<string, FileRange>();
  const references = new Set<string>();
  for (const line of text.split('\n')) {
    const match = LINE.exec(line);
    if (match === null) {
      summary.push(line);
      continue;
    }
    const path = bare(match[2] ?? '');
    if (!path.startsWith('/')) continue;
    if (match[1] === 'REFERENCE') references.add(path);
    else {
      const range = toRange(path);
      const key = JSON.stringify([range.path, range.offset ?? 0, range.limit]);
      if (!reads.has(key)) reads.set(key, range);
    }
  }
  return {
    summary: summary.join('\n').trim(),
    reads: [...reads.values()],
    references: [...references],
  };
}

function toRange(text: string): FileRange {
  const [, path, from, to] = RANGE.exec(text) ?? [];
  if (path === undefined || from === undefined) return { path: text };
  const offset = Number(from) - 1;
  if (to === undefined) return offset < 0 ? { path: text } : { path, offset };
  const limit = Number(to) - offset;
  // No range of lines, so it belongs to the name.
  return offset < 0 || limit < 1 ? { path: text } : { path, offset, limit };
}

function bare(text: string): string {
  const trimmed = text.trim();
  return /^`.*`$/s.test(trimmed) ? trimmed.slice(1, -1) : trimmed;
}
