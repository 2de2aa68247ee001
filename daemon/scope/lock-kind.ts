import { randomUUID } from 'node:crypto';
import { link, lstat, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { REGISTRY_FILES, REGISTRY_FORMAT } from '../../protocol/registry.ts';
import { Fault } from '../core/fault.ts';
import { readTextFile } from '../support/read-text-file.ts';
import { codeOf, toFault } from './registry-fault.ts';
import type { LockKind } from './registry-lock.ts';

const KIND_BYTES_MAX = 64 * 1024;

const KindFile = v.looseObject({ format: v.number(), kind: v.string() });

/** The folder's kind. If it has none, `choose` is asked, and the first of several processes wins. */
export async function settleKind(
  folder: string,
  choose: () => Promise<LockKind>,
): Promise<LockKind> {
  const found = await readKind(folder);
  if (found !== null) return found;
  await writeKind(folder, await choose());
  const settled = await readKind(folder);
  if (settled !== null) return settled;
  throw new Fault(
    'cannot_create',
    `the scope registry ${folder} was removed while it was made: start again`,
  );
}

/** Null if nobody chose yet. */
async function readKind(folder: string): Promise<LockKind | null> {
  const path = join(folder, REGISTRY_FILES.kind);
  try {
    await lstat(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw toFault(folder, error);
  }
  const text = await readTextFile(path, KIND_BYTES_MAX);
  if (!text.ok) throw kindUnusable(path, text.error);
  const parsed = v.safeParse(KindFile, parseJson(text.value));
  if (!parsed.success) throw kindUnusable(path, 'does not say which kind of lock the folder has');
  const { format, kind } = parsed.output;
  if (format !== REGISTRY_FORMAT)
    throw new Fault(
      'manifest_invalid',
      `the scope registry ${folder} has format ${format}, this podd knows ${REGISTRY_FORMAT}: use the podd that wrote it, or another PODD_SCOPE_REGISTRY`,
    );
  if (kind === 'kernel' || kind === 'portable') return kind;
  throw kindUnusable(path, `names a kind of lock that this podd does not know ("${kind}")`);
}

/** Does nothing if another process was first. */
async function writeKind(folder: string, kind: LockKind): Promise<void> {
  const draft = join(folder, `draft-${randomUUID()}.lock`);
  try {
    {
      await using file = await open(draft, 'wx', 0o600);
      await file.chmod(0o600);
      await file.writeFile(`${JSON.stringify({ format: REGISTRY_FORMAT, kind })}\n`);
      await file.sync();
    }
    // Unlike a rename, a link fails when the name is taken.
    await link(draft, join(folder, REGISTRY_FILES.kind));
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw toFault(folder, error);
  } finally {
    await unlink(draft).catch(() => undefined);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function kindUnusable(path: string, says: string): Fault {
  return new Fault(
    'cannot_create',
    `${path} ${says}: use the podd that wrote it; or stop all of this user’s Pods and remove its folder, or set PODD_SCOPE_REGISTRY to another one for all of them`,
  );
}
