/**
 * Keys of the shapes that providers give out, in whatever text they turn up, a message of a provider say. It works on
 * the text itself, before it is JSON: an escape in front of a key would hide where it begins. Where the text quotes JSON
 * of others, such an escape is looked through.
 */
const SHAPES: readonly (readonly [RegExp, string])[] = [
  [/(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))(?:sk|gh[pousr]|github_pat|xox[abp])[-_][\w-]{8,}/g, '***'],
  // Words may begin so, too; keys have digits.
  [/(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))(?:key|pat)[-_](?=[\w-]*\d)[\w-]{8,}/g, '***'],
  [/(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))AIza[\w-]{20,}/g, '***'],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi, '$1 ***'],
];

const SECRET_NAME =
  /^(?:(?:proxy-)?authorization|cookie|set-cookie|(?:x-)?(?:goog-)?api[-_]?key|token|password|secret)$/i;
const DEPTH_MAX = 6;

export function withoutKeys(text: string): string {
  return SHAPES.reduce((clean, [shape, mask]) => clean.replace(shape, mask), text);
}

/** The same for all texts of a value, and without those whose name says that they are secret. Errors become plain. */
export function withoutSecrets(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return withoutKeys(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= DEPTH_MAX) return '…';
  const below = (inner: unknown): unknown => withoutSecrets(inner, depth + 1);
  if (Array.isArray(value)) return value.map(below);
  if (value instanceof Error)
    return below({ ...errorFacts(value), ...Object.fromEntries(Object.entries(value)) });
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      SECRET_NAME.test(name) && inner !== null ? '***' : below(inner),
    ]),
  );
}

function errorFacts(error: Error): Record<string, unknown> {
  const { name, message, stack, cause } = error;
  return { type: name, message, stack, ...(cause === undefined ? {} : { cause }) };
}
