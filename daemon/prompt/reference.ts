import { nearest } from '../core/nearest.ts';
import { ok, refuse, type Result } from '../core/result.ts';
import type { AssetName } from './template-job.ts';

/** `podd` is shipped with podd, `user` lies beside the user manifest, `workspace` in the project's `.podd/`. */
export const LIBRARIES = ['podd', 'user', 'workspace'] as const;
export type Library = (typeof LIBRARIES)[number];

const SEGMENT_BYTES_MAX = 255;

/**
 * Pure. What a reference names: with a library of its own, or relative to the folder of `from`, the template that it
 * stands in. The refusal is the rest of a sentence about the reference.
 */
export function parseReference(text: string, from: AssetName | null): Result<AssetName, string> {
  if (text === '') return refuse('is empty: it has to name a prompt');
  if (/[\0\\]/.test(text)) return refuse('has a character in it that no prompt’s name may have');
  if (text.startsWith('/')) return refuse('is an absolute path: prompts are named, not pathed');
  if (text.startsWith('$')) return parseQualified(text);
  if (from === null)
    return refuse(`has to begin with ${LIBRARIES.map((one) => `$${one}/`).join(', ')}`);
  const { library, path } = splitAsset(from);
  const folder = path.split('/').slice(0, -1);
  return parsePath(library, [...folder, ...text.replace(/^\.\//, '').split('/')]);
}

function parseQualified(text: string): Result<AssetName, string> {
  const [prefix = '', ...path] = text.slice(1).split('/');
  const library = LIBRARIES.find((one) => one === prefix);
  if (library === undefined) {
    const near = nearest(prefix, LIBRARIES);
    const hint = near === undefined ? '' : `; did you mean $${near}?`;
    return refuse(`names no library: $${prefix} is not one of $podd, $user, $workspace${hint}`);
  }
  if (path.join('') === '') return refuse(`names no prompt: $${prefix}/NAME is expected`);
  return parsePath(library, path);
}

function parsePath(library: Library, path: readonly string[]): Result<AssetName, string> {
  if (path.includes('..')) return refuse('has .. in it: a prompt can’t leave its library');
  if (path.includes('.')) return refuse('has a . between slashes');
  if (path.includes('')) return refuse('has an empty name between slashes');
  const last = path.at(-1)?.replace(/\.md$/, '') ?? '';
  if (last === '') return refuse('names no prompt, only an ending');
  // The ending is part of the file's name.
  const names = [...path.slice(0, -1), `${last}.md`];
  if (names.some((name) => Buffer.byteLength(name) > SEGMENT_BYTES_MAX))
    return refuse(`has a name of more than ${SEGMENT_BYTES_MAX} bytes in it`);
  return parsedName(library, [...path.slice(0, -1), last]);
}

function parsedName(library: Library, path: readonly string[]): Result<AssetName, string> {
  return path.includes('..') || path.includes('.')
    ? refuse('has .. in it: a prompt can’t leave its library')
    : ok(`$${library}/${path.join('/')}`);
}

/** The parts of a name that `parseReference` made. */
export function splitAsset(name: AssetName): { readonly library: Library; readonly path: string } {
  const [prefix = '', ...path] = name.slice(1).split('/');
  const library = LIBRARIES.find((one) => one === prefix) ?? 'podd';
  return { library, path: path.join('/') };
}
