import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

export const ROOT = new URL('../..', import.meta.url).pathname.replace(/\/$/, '');

export type SourceFile = { readonly path: string; readonly text: string };

/** The TypeScript files below the folders, by path from the root, sorted. */
export function sources(...folders: readonly string[]): SourceFile[] {
  return folders
    .flatMap((folder) => readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => ({ path: relative(ROOT, path), text: readFileSync(path, 'utf8') }));
}

export function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** Titles of the tests in a file's text. */
export function testTitles(text: string): string[] {
  const titles = text.matchAll(
    /\btest(?:\.each(?:<[^(]*>)?\((?:\w+|[\s\S]*?\]\s*(?:as const)?\s*,?\s*)\))?\(\s*(['`"])((?:\\.|(?!\1)[\s\S])*)\1/g,
  );
  return [...titles].map((match) => (match[2] ?? '').replace(/\\(.)/g, '$1'));
}
