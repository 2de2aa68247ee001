import { constants } from 'node:fs';
import { type FileHandle, lstat, open, readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';
import {
  allocationFile,
  REGISTRY_FILES,
  REGISTRY_FORMAT,
  registryPlace,
  RegistryTable,
} from '../protocol/registry.ts';
import { POD_NAME } from './find-pods.ts';
import { CLIENT_LIMITS } from './limits.ts';
import { PodError } from './pod-error.ts';

/** What a client takes from its process to find the registry: nothing here reads `process` itself. */
export type RegistrySurroundings = {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The home that the user database has for this uid; null if it has none. */
  readonly userHome: string | null;
};

export type FoundRegistry = {
  /** The registry's folder. */
  readonly path: string;
  /** It lies where PODD_SCOPE_REGISTRY says. */
  readonly moved: boolean;
  /** Null: there is no table and no row, so nobody owns anything. */
  readonly table: RegistryTable | null;
};

/**
 * Reads who owns what, without the lock: the file is replaced whole. Throws `no_place` when there is no place to look
 * at, `bad_registry` when what lies there can't be taken; both say what to do.
 */
export async function readRegistry({
  env,
  userHome,
}: RegistrySurroundings): Promise<FoundRegistry> {
  const place = registryPlace(env, userHome);
  if (place.kind === 'none') throw new PodError('no_place', place.says);
  const { path, moved } = place;
  const file = `${path}/${REGISTRY_FILES.table}`;
  let text = await readIfThere(file);
  if (text === null) {
    if ((await rowsBeside(path)).length === 0) return { path, moved, table: null };
    await sleep(CLIENT_LIMITS.registryAgainMs);
    text = await readIfThere(file);
  }
  if (text !== null) return { path, moved, table: parseTable(text, file) };
  const rows = await rowsBeside(path);
  if (rows.length === 0) return { path, moved, table: null };
  throw new PodError(
    'bad_registry',
    `the registry ${file} is gone, but there are rows of ${showList(rows)}; the next podd that starts writes it anew from the Pods that live`,
  );
}

async function readIfThere(file: string): Promise<string | null> {
  try {
    // A FIFO in its place is told, not waited on.
    await using handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = await handle.stat();
    if (!stats.isFile())
      throw new PodError('bad_registry', `the registry ${file} is no file; see what lies there`);
    const text = await readAtMost(handle, CLIENT_LIMITS.registryBytes);
    if (text === null) throw damaged(file, `it has more than ${CLIENT_LIMITS.registryBytes} bytes`);
    return text;
  } catch (error) {
    if (error instanceof PodError) throw error;
    if (isAbsent(error)) return null;
    throw unreadable(file, error);
  }
}

/** Null if there is more. What `stat` says of a size is no bound: files grow, and some have none. */
async function readAtMost(handle: FileHandle, bytesMax: number): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const stream = handle.createReadStream({ autoClose: false });
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bytesMax) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseTable(text: string, file: string): RegistryTable {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw damaged(file, 'it is not JSON', error);
  }
  const format = v.safeParse(v.object({ format: v.number() }), value);
  if (format.success && format.output.format !== REGISTRY_FORMAT)
    throw new PodError(
      'bad_registry',
      `the registry ${file} has format ${format.output.format}, this podctl knows ${REGISTRY_FORMAT}; use the podctl of the podd that wrote it`,
    );
  const table = v.safeParse(RegistryTable, value);
  if (table.success) {
    const odd = oddRow(table.output);
    if (odd === null) return table.output;
    throw damaged(file, odd);
  }
  const [issue] = table.issues;
  const at = v.getDotPath(issue);
  const what = at === null ? 'it' : at;
  throw damaged(file, `${what} is not what it has to be (${cut(issue.message)})`);
}

/** What podd never writes, and what would make a tree of it endless or a line of it a page. */
function oddRow({ allocations }: RegistryTable): string | null {
  const names = new Set<string>();
  for (const { pod, socket } of allocations) {
    if (!POD_NAME.test(pod)) return `"${cut(pod)}" is no Pod’s name`;
    if (names.has(pod)) return `it has two rows of ${pod}`;
    if (!socket.startsWith('/')) return `the socket of ${pod} is no absolute path`;
    names.add(pod);
  }
  return null;
}

/** Names of the folders that have a row in them. One that can't be looked at is no sign that there is none. */
async function rowsBeside(folder: string): Promise<string[]> {
  try {
    const found: string[] = [];
    for (const name of await readdir(folder))
      if (await isThere(allocationFile(folder, name))) found.push(name);
    return found.toSorted();
  } catch (error) {
    if (error instanceof PodError) throw error;
    if (isAbsent(error)) return [];
    throw unreadable(folder, error);
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (isAbsent(error)) return false;
    throw unreadable(path, error);
  }
}

function isAbsent(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(codeOf(error));
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

function showList(names: readonly string[]): string {
  const shown = names.slice(0, 5).map((name) => cut(name));
  return `${shown.join(', ')}${names.length > shown.length ? ` and ${names.length - shown.length} more` : ''}`;
}

const SHOWN_UNITS = 200;

function cut(text: string): string {
  if (text.length <= SHOWN_UNITS) return text;
  // Never half a surrogate pair.
  return `${text.slice(0, SHOWN_UNITS).replace(/[\ud800-\udbff]$/, '')}…`;
}

function unreadable(path: string, cause: unknown): PodError {
  const code = codeOf(cause);
  const next =
    code === 'EACCES' ? 'run podctl as the user whose Pods it has' : 'see what lies there';
  return new PodError('bad_registry', `the registry ${path} can't be read (${code}); ${next}`, {
    cause,
  });
}

function damaged(file: string, why: string, cause?: unknown): PodError {
  return new PodError(
    'bad_registry',
    `the registry ${file} is damaged: ${why}; the next podd that starts moves it aside and writes it anew from the Pods that live`,
    { cause },
  );
}
