import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import * as v from 'valibot';
import {
  REGISTRY_FILES,
  REGISTRY_FORMAT,
  registryPlace,
  RegistryTable,
} from '../protocol/registry.ts';
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
  /** Null: there is no file, so nobody owns anything. */
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
  const text = await readIfThere(file);
  return { path, moved, table: text === null ? null : parseTable(text, file) };
}

async function readIfThere(file: string): Promise<string | null> {
  try {
    // A FIFO in its place is told, not waited on.
    await using handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const { size } = await handle.stat();
    if (size > CLIENT_LIMITS.registryBytes)
      throw damaged(file, `it has more than ${CLIENT_LIMITS.registryBytes} bytes`);
    return await handle.readFile('utf8');
  } catch (error) {
    if (error instanceof PodError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    const next =
      code === 'EACCES' ? 'run podctl as the user whose Pods it has' : 'see what lies there';
    throw new PodError('bad_registry', `the registry ${file} can't be read (${code}); ${next}`, {
      cause: error,
    });
  }
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
  if (table.success) return table.output;
  const [issue] = table.issues;
  const at = v.getDotPath(issue);
  throw damaged(file, `${at === null ? 'it' : at} is not what it has to be (${issue.message})`);
}

function damaged(file: string, why: string, cause?: unknown): PodError {
  return new PodError(
    'bad_registry',
    `the registry ${file} is damaged: ${why}; the next podd that starts moves it aside and writes it anew from the Pods that live`,
    { cause },
  );
}
