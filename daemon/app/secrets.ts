/** Where a key may begin: not inside a word, but after an escape, in text that quotes the JSON of others. */
const START = String.raw`(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))`;

type Mask = (found: string, word: string) => string;

/**
 * Keys of the shapes that providers give out. Each takes all of a run at once: one that looked ahead from every place in
 * it would need the square of its length, and the texts are those of others.
 */
const SHAPES: readonly (readonly [RegExp, Mask])[] = [
  [shape(String.raw`(?:sk|gh[pousr]|github_pat|xox[abp])[-_][\w-]{8,}`), () => '***'],
  // Words may begin so, too; keys have digits.
  [shape(String.raw`(?:key|pat)[-_][\w-]{8,}`), (found) => (/\d/.test(found) ? '***' : found)],
  [shape(String.raw`AIza[\w-]{20,}`), () => '***'],
  [shape(String.raw`(Bearer|Basic)\s+[\w.~+/=-]{8,}`, 'gi'), (_, word) => `${word} ***`],
];

const SECRET_NAME =
  /^(?:(?:proxy-)?authorization|cookie|set-cookie|(?:x-)?(?:goog-)?api[-_]?key|token|password|secret)$/i;
const DEPTH_MAX = 6;

function shape(pattern: string, flags = 'g'): RegExp {
  return new RegExp(`${START}${pattern}`, flags);
}

/** It works on the text itself, before it is JSON: an escape in front of a key would hide where it begins. */
export function withoutKeys(text: string): string {
  return SHAPES.reduce((clean, [keys, mask]) => clean.replace(keys, mask), text);
}

/**
 * The same for all texts of a value and the names in it, and without what a name says is secret. Errors become plain,
 * with what caused them; below `DEPTH_MAX` there is only `…`.
 */
export function withoutSecrets(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return withoutKeys(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= DEPTH_MAX) return '…';
  const below = (inner: unknown): unknown => withoutSecrets(inner, depth + 1);
  if (Array.isArray(value)) return value.map(below);
  const isError = value instanceof Error;
  // Dates and addresses, say, have no fields to be cleaned, only a text.
  if (!isError && tellsItself(value)) return below(value.toJSON());
  const fields = Object.entries(value);
  return Object.fromEntries(
    (isError ? [...Object.entries(errorFacts(value)), ...fields] : fields).map(([name, inner]) => [
      withoutKeys(name),
      SECRET_NAME.test(name) && inner !== null ? '***' : below(inner),
    ]),
  );
}

function tellsItself(value: object): value is { readonly toJSON: () => unknown } {
  return 'toJSON' in value && typeof value.toJSON === 'function';
}

/** What an error says without showing it among its fields. */
function errorFacts(error: Error): Record<string, unknown> {
  const { name, message, stack, cause } = error;
  return {
    type: name,
    message,
    stack,
    ...(cause === undefined ? {} : { cause }),
    ...(error instanceof AggregateError ? { errors: error.errors } : {}),
  };
}
