import { parse, TomlError } from 'smol-toml';
import { ok, refuse, type Result } from '../core/result.ts';

export type TomlProblem = { readonly line: number; readonly column: number; readonly says: string };

/** The table that a TOML text holds, or where and why it is none. Its objects have no prototype; a date is a `Date`. */
export function parseToml(text: string): Result<Readonly<Record<string, unknown>>, TomlProblem> {
  try {
    return ok(parse(text));
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [first = ''] = error.message.split('\n');
    const { line, column } = error;
    const lineText = text.split('\n')[line - 1] ?? '';
    const before = lineText.slice(0, column - 1);
    const rest = lineText.slice(column - 1).trim();
    const reason = first.replace('Invalid TOML document: ', '');
    return refuse({ line, column, says: explain(reason, { before, rest }) });
  }
}

/** The line of a fault, up to its place and from there on. */
type Place = { readonly before: string; readonly rest: string };

/**
 * What the parser says is right, but not always what somebody who wrote the line can act on. It gives no codes, so
 * its words are looked up; what it may say in another version is told as it is.
 */
function explain(reason: string, place: Place): string {
  switch (reason) {
    case 'illegal character in key':
    case 'incomplete key-value: cannot find end of key':
    case 'unexpected end of key':
    case 'illegal empty bare key':
      return explainKey(place);
    case 'expected end of table array declaration':
      return 'expected ]] behind the name of the table';
    case 'control characters are not allowed in strings':
      return place.rest === '' ? 'the text of this line is not closed by its quote' : reason;
    case 'unfinished string':
      return 'the text that begins here is not closed by its quote';
    case 'unrecognised escape sequence':
    case 'invalid non-hex character in unicode escape':
      return String.raw`unknown escape: a backslash is written \\, or the text stands in single quotes`;
    case 'invalid value':
      return explainValue(place);
    case 'illegal character in numeric literal':
    case 'unfinished numeric value':
      return 'expected a number alone: nothing else belongs to it, and text stands in quotes';
    case 'illegal leading zero':
      return 'a number does not begin with 0';
    case 'integer value cannot be represented losslessly':
      return 'the number is too big to be exact';
    case 'trying to redefine an already defined table or value':
    case 'trying to redefine an already defined value':
      return 'this key or table is there already: each may stand once';
    case 'each key-value declaration must be followed by an end-of-line':
      return 'expected the end of the line behind the value';
    case 'expected comma or end of structure':
      return 'expected a comma, or the end of the list or table that is open';
    case 'document contains excessively nested structures. aborting.':
      return 'lists and tables are nested too deep';
    default:
      return reason;
  }
}

function explainKey({ before, rest }: Place): string {
  if (/^\s*\[/.test(before))
    return /[[.]\s*$/.test(before) && /^[\].]/.test(rest)
      ? 'expected the name of a table'
      : 'expected ] behind the name of the table';
  if (!rest.includes('=')) return 'expected a key, then = and its value';
  return /^[=.]/.test(rest) || before.trimEnd().endsWith('.')
    ? 'expected a key'
    : 'expected a key of a-z A-Z 0-9 _ -, then =; other keys stand in quotes';
}

function explainValue({ rest }: Place): string {
  if (rest === '' || rest.startsWith('#')) return 'expected a value behind =';
  return /^(?:true|false|yes|no|on|off)\b/i.test(rest)
    ? 'expected a value: true or false, in small letters, or text in quotes'
    : 'expected a value: text stands in quotes';
}
