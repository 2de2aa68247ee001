import { readdir } from 'node:fs/promises';
import { expect } from 'vitest';
import type { Files, WriteTarget } from '../../daemon/ports/files.ts';

const { signal } = new AbortController();

export async function target(files: Files, path: string): Promise<WriteTarget> {
  const opened = await files.openForWrite(path, signal);
  if (!opened.ok) throw new Error(opened.error.says);
  return opened.value;
}

/** What became of a write: `written`, or the kind of its refusal. `meanwhile` runs between opening and replacing. */
export async function write(
  files: Files,
  path: string,
  options: { readonly text?: string; readonly meanwhile?: () => Promise<unknown> } = {},
): Promise<string> {
  const opened = await files.openForWrite(path, signal);
  if (!opened.ok) return opened.error.kind;
  await using place = opened.value;
  // A tool looks at what is there before it decides to replace it.
  for await (const chunk of place.existing?.chunks(signal) ?? []) expect(chunk).toBeDefined();
  await options.meanwhile?.();
  const replaced = await place.replace(Buffer.from(options.text ?? 'new'), signal);
  return replaced.ok ? 'written' : replaced.error.kind;
}

/** Names of everything below a folder. */
export async function names(folder: string): Promise<string[]> {
  return (await readdir(folder, { recursive: true })).sort();
}
