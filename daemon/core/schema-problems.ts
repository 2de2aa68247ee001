import { showControls } from './show-controls.ts';
import type * as v from 'valibot';
import { nearest } from './nearest.ts';

/**
 * What a schema found wrong, in words for whoever wrote the value: a person with a manifest, a model with a call.
 * valibot names one unknown key of an object and stops; here each is named, with the nearest known one.
 */
export type SchemaProblem = {
  readonly path: readonly (string | number)[];
  readonly kind: 'missing' | 'unknown' | 'wrong';
  readonly says: string;
};

/** What the notation at hand calls its values. */
export type Notation = 'json' | 'toml';

const RECEIVED_UNITS_MAX = 60;

/** Every problem, in the order of the schema. Messages of validations in `schema` say what is expected. */
export function listProblems(
  schema: v.GenericSchema,
  issues: readonly v.BaseIssue<unknown>[],
  notation: Notation,
): SchemaProblem[] {
  return issues.flatMap((issue) => problemsOf(schema, issue, notation));
}

function problemsOf(
  schema: v.GenericSchema,
  issue: v.BaseIssue<unknown>,
  notation: Notation,
): SchemaProblem[] {
  const path = (issue.path ?? []).map(({ key }) => (typeof key === 'number' ? key : String(key)));
  const last = issue.path?.at(-1);
  if (last?.origin !== 'key') return [{ path, kind: 'wrong', says: sayWrong(issue, notation) }];
  if (issue.expected !== 'never')
    return [{ path, kind: 'missing', says: 'is required, but missing' }];
  const holder = path.slice(0, -1);
  const known = knownKeys(schema, holder);
  return Object.keys(last.input ?? {})
    .filter((key) => !known.includes(key))
    .map((key) => ({ path: [...holder, key], kind: 'unknown', says: sayUnknown(key, known) }));
}

/** `a.b[2].c`, as one would write it in a sentence. */
export function formatPath(path: readonly (string | number)[]): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === 'number') return `${text}[${key}]`;
    const name = /^[\w-]+$/.test(key) ? key : JSON.stringify(key);
    return text === '' ? name : `${text}.${name}`;
  }, '');
}

/** "unknown key", with the nearest known one or, where none is near, all of them. */
export function sayUnknown(key: string, known: readonly string[]): string {
  const near = nearest(key, known);
  if (near !== undefined) return `is not known; did you mean ${near}?`;
  return known.length === 0 ? 'is not known' : `is not known; known here: ${known.join(', ')}`;
}

/** The keys of the object that `path` leads to, as far as the schema has a table of them. */
export function knownKeys(schema: unknown, path: readonly (string | number)[]): string[] {
  let at = unwrap(schema);
  for (const key of path) {
    const entries = (at['entries'] ?? {}) as Readonly<Record<string, unknown>>;
    if (typeof key === 'number') at = unwrap(at['item']);
    else at = unwrap(Object.hasOwn(entries, key) ? entries[key] : at['value']);
  }
  return Object.keys(at['entries'] ?? {});
}

function unwrap(schema: unknown): Readonly<Record<string, unknown>> {
  let at = (schema ?? {}) as Readonly<Record<string, unknown>>;
  while ('wrapped' in at) at = at['wrapped'] as Readonly<Record<string, unknown>>;
  return at;
}

function sayWrong(issue: v.BaseIssue<unknown>, notation: Notation): string {
  const says = `expected ${sayExpected(issue, notation)}, got ${sayReceived(issue, notation)}`;
  const near = nearestChoice(issue);
  return near === undefined ? says : `${says}; did you mean ${near}?`;
}

/** Of a choice between texts, as the message quotes them. */
function nearestChoice({ input, type, expected }: v.BaseIssue<unknown>): string | undefined {
  if (type !== 'picklist' || typeof input !== 'string' || expected === null) return undefined;
  return nearest(JSON.stringify(input), expected.replace(/^\(|\)$/g, '').split(' | '));
}

function sayExpected(issue: v.BaseIssue<unknown>, notation: Notation): string {
  // A schema's own message; what valibot makes up itself begins so.
  if (!issue.message.startsWith('Invalid ')) return issue.message;
  const expected = issue.expected ?? issue.type.replaceAll('_', ' ');
  switch (expected) {
    case 'string':
      return 'a string';
    case 'number':
      return 'a number';
    case 'integer':
    case 'safe integer':
      return 'a whole number';
    case 'boolean':
      return 'true or false';
    case 'Array':
      return 'a list';
    case 'Object':
      return notation === 'toml' ? 'a table' : 'an object';
  }
  const length = issue.type.endsWith('_length') ? 'a length of ' : '';
  if (/^[<>]=/.test(expected))
    return `${length}at ${expected.startsWith('>') ? 'least' : 'most'} ${expected.slice(2)}`;
  if (expected.startsWith('(')) return expected.slice(1, -1).replaceAll(' | ', ' or ');
  return expected;
}

function sayReceived(issue: v.BaseIssue<unknown>, notation: Notation): string {
  const { input, received } = issue;
  // A validation may have looked at a part, such as the length. And valibot calls an object without a prototype, as
  // TOML's tables are, "null".
  if (issue.kind === 'schema' && typeof input === 'object' && input !== null) {
    if (Array.isArray(input)) return 'a list';
    if (input instanceof Date) return 'a date';
    return notation === 'toml' ? 'a table' : 'an object';
  }
  const shown = showControls(received);
  if (shown.length <= RECEIVED_UNITS_MAX) return shown;
  return `${shown.slice(0, RECEIVED_UNITS_MAX)}…`;
}
