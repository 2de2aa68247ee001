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
    const says = first.replace('Invalid TOML document: ', '');
    return refuse({ line: error.line, column: error.column, says });
  }
}
