import type { Command } from 'commander';
import { type Shell, UsageError } from './shell.ts';

/** What the words of one command line come to. */
export type Choose = (pod: string, work: () => Promise<number>) => void;

/** Adds commands to the program. */
export type Describe = (program: Command, shell: Shell, choose: Choose) => void;

export type FormatFlag = { readonly json?: true };

export const POD = 'a Pod’s name, or the path of its socket';
export const JSON_FLAG = '--json';

export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}

/** Of a flag that takes a number. */
export function parseCount(flag: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`${flag} takes a number, not "${text}"`);
  return Number(text);
}

export function formatOf({ json }: FormatFlag): 'text' | 'json' {
  return json === true ? 'json' : 'text';
}
