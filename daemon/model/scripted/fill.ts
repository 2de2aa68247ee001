import { nearest } from '../../core/nearest.ts';

/** What `{{…}}` in a script's strings stands for. What is filled in is not looked at again. */
export type FillValues = {
  readonly cwd: string;
  /** The last text of a user. */
  readonly input: string;
  /** Content of the last tool result, or its summary where it has none. */
  readonly lastResult: string;
  /** The only variables that a script can reach. */
  readonly env: Readonly<Record<string, string>>;
};

const NAMES = ['cwd', 'input', 'last_result', 'env.'];
const PLACEHOLDER = /\{\{\s*([\w.]+)\s*\}\}/g;

/** Braces around any other name stay as they are: scripts write templates too. */
export function fill(text: string, values: FillValues): string {
  return text.replaceAll(PLACEHOLDER, (whole: string, name: string) => {
    if (name === 'cwd') return values.cwd;
    if (name === 'input') return values.input;
    if (name === 'last_result') return values.lastResult;
    if (name.startsWith('env.') && Object.hasOwn(values.env, name.slice(4)))
      return values.env[name.slice(4)] ?? whole;
    return whole;
  });
}

/** Placeholders that are probably misspelt. */
export function fillProblems(value: unknown): string[] {
  return placeholders(value).flatMap((name) => {
    if (NAMES.includes(name) || name.startsWith('env.')) return [];
    const meant = nearest(name, NAMES);
    return meant === undefined ? [] : [`has {{${name}}}; did you mean {{${meant}}}?`];
  });
}

/** The variables that the strings of `value` name. */
export function namedVariables(value: unknown): string[] {
  return placeholders(value)
    .filter((name) => name.startsWith('env.'))
    .map((name) => name.slice(4));
}

function placeholders(value: unknown): string[] {
  if (typeof value === 'string')
    return [...value.matchAll(PLACEHOLDER)].map(([, name = '']) => name);
  if (typeof value !== 'object' || value === null) return [];
  return (Object.values(value) as unknown[]).flatMap(placeholders);
}
