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
    const at = { text: text.split('\n')[line - 1]?.replace(/\r$/, '') ?? '', column };
    const reason = first.replace('Invalid TOML document: ', '');
    return refuse({ line, column, says: explain(reason, at) });
  }
}

/** What the parser says is right, but not always what somebody who wrote the line can act on. */
function explain(reason: string, { text, column }: { text: string; column: number }): string {
  const rest = text.slice(column - 1).trim();
  switch (reason) {
    case 'illegal character in key':
      if (/^\s*\[/.test(text)) return 'expected ] behind the name of a table';
      return text.includes('=') ? 'expected a key' : 'expected a key, then = and its value';
    case 'control characters are not allowed in strings':
      return rest === '' ? 'the text of this line is not closed by its quote' : reason;
    case 'invalid value':
      return rest === '' || rest.startsWith('#')
        ? 'expected a value behind ='
        : 'expected a value: text stands in quotes';
    case 'trying to redefine an already defined table or value':
      return 'this key or table is there already: each may stand once';
    case 'each key-value declaration must be followed by an end-of-line':
      return 'expected the end of the line behind the value';
    case 'expected comma or end of structure':
      return 'expected a comma, or the end of the list or table that is open';
    case 'integer value cannot be represented losslessly':
      return 'the number is too big to be exact';
    case 'document contains excessively nested structures. aborting.':
      return 'lists and tables are nested too deep';
    default:
      return reason;
  }
}
