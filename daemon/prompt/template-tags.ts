/** Finds where a template is left open. The engine only says that the file ended, or which other end it met. */

export type OpenTag = { readonly line: number; readonly column: number; readonly says: string };

/** What has to be closed, and by what. */
const ENDS: ReadonlyMap<string, string> = new Map(
  ['if', 'for', 'block', 'macro', 'call', 'filter', 'raw', 'verbatim', 'switch', 'set'].map(
    (name) => [name, `end${name}`],
  ),
);
const CLOSERS: ReadonlyMap<string, string> = new Map([
  ['{{', '}}'],
  ['{%', '%}'],
  ['{#', '#}'],
]);

type Opened = { readonly name: string; readonly at: number };

/** Pure. The first tag that is never closed, or the last one open where another's end stands. Null if all match. */
export function findUnclosed(text: string): OpenTag | null {
  const open: Opened[] = [];
  let from = 0;
  for (;;) {
    const at = nextOpener(text, from);
    if (at === -1) break;
    const opener = text.slice(at, at + 2);
    const closer = CLOSERS.get(opener) ?? '';
    const end = endOf(text, { at: at + 2, closer, isComment: opener === '{#' });
    if (end === -1) return tell(text, at, `${opener} is never closed by ${closer}`);
    from = end + 2;
    if (opener !== '{%') continue;
    const [, name = '', rest = ''] = /^-?\s*([A-Za-z]+)([^]*)$/.exec(text.slice(at + 2, end)) ?? [];
    if (name === 'raw' || name === 'verbatim') {
      const close = new RegExp(String.raw`\{%-?\s*end${name}\s*-?%\}`, 'g');
      close.lastIndex = from;
      if (close.exec(text) === null) return tell(text, at, unclosed(name));
      from = close.lastIndex;
      continue;
    }
    // With an equals sign it is whole in itself.
    if (name === 'set' && rest.includes('=')) continue;
    if (ENDS.has(name)) open.push({ name, at });
    else if (name.startsWith('end') && ENDS.has(name.slice(3))) {
      const last = open.pop();
      if (last === undefined) return tell(text, at, `{% ${name} %} closes nothing`);
      if (ENDS.get(last.name) !== name) return tell(text, last.at, unclosed(last.name));
    }
  }
  const last = open.at(-1);
  return last === undefined ? null : tell(text, last.at, unclosed(last.name));
}

function unclosed(name: string): string {
  return `{% ${name} %} is never closed by {% end${name} %}`;
}

function nextOpener(text: string, from: number): number {
  const found = /\{[{%#]/g;
  found.lastIndex = from;
  return found.exec(text)?.index ?? -1;
}

/** Where the closer stands, past texts in quotes; -1 if there is none. */
function endOf(
  text: string,
  {
    at,
    closer,
    isComment,
  }: { readonly at: number; readonly closer: string; readonly isComment: boolean },
): number {
  if (isComment) return text.indexOf(closer, at);
  let quote = '';
  for (let i = at; i < text.length; i += 1) {
    const char = text[i] ?? '';
    if (quote !== '') {
      if (char === '\\') i += 1;
      else if (char === quote) quote = '';
    } else if (char === '"' || char === "'") quote = char;
    else if (text.startsWith(closer, i)) return i;
  }
  return -1;
}

function tell(text: string, at: number, says: string): OpenTag {
  const before = text.slice(0, at).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1, says };
}
