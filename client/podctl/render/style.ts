import type { Output } from '../shell.ts';

type Paint = (text: string) => string;
export type Style = {
  readonly dim: Paint;
  readonly red: Paint;
  readonly bold: Paint;
  /** Makes text from elsewhere safe to show. */
  readonly clean: Paint;
};

/** Colours only on a terminal that has them, and not if `NO_COLOR` is set to anything. */
export function styleFor(output: Output, env: Readonly<Record<string, string | undefined>>): Style {
  const colour = output.isTerminal && env['TERM'] !== 'dumb' && (env['NO_COLOR'] ?? '') === '';
  const paint = (from: number, to: number): Paint =>
    colour ? (text) => `\u001b[${from}m${text}\u001b[${to}m` : (text) => text;
  return {
    dim: paint(2, 22),
    red: paint(31, 39),
    bold: paint(1, 22),
    clean: output.isTerminal ? withoutControls : (text) => text,
  };
}

/**
 * A model repeats what stands in files, and a terminal obeys escape sequences in it. Without their first character
 * they are text; that also holds for one that comes in two pieces. Line feeds and tabs stay.
 */
export function withoutControls(text: string): string {
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '');
}

/** One line of at most `unitsMax` UTF-16 units; what is cut is shown by `…`. */
export function oneLine(text: string, unitsMax: number): string {
  const line = withoutControls(text.replaceAll(/\s+/g, ' ')).trim();
  if (line.length <= unitsMax) return line;
  // Never half a surrogate pair.
  return `${line.slice(0, unitsMax - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * One line, with each control character as an escape: a path may hold a line that looks like ours. So is what has no
 * shape of its own and turns the text around it.
 */
export function showName(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]|\p{Cf}/gu, (character) => {
    const code = (character.codePointAt(0) ?? 0).toString(16);
    return SHORT[character] ?? (code.length > 2 ? `\\u{${code}}` : `\\x${code.padStart(2, '0')}`);
  });
}
