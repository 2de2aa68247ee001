import { constants } from 'node:fs';
import { open, readdir, readFile, readlink, realpath, unlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { configRoot } from '../protocol/paths.ts';
import {
  parseTrust,
  sha256,
  TRUST_BYTES_MAX,
  TRUST_FOLDER,
  type TrustFile,
  trustFileOf,
} from '../protocol/trust.ts';
import type { Surroundings } from './find-pods.ts';
import { CLIENT_LIMITS } from './limits.ts';
import { PodError } from './pod-error.ts';
import { isCode, makePrivateFolder, replacePrivate } from './private-files.ts';

/** A project's manifest as it is at this moment. */
export type Project = { readonly root: string; readonly file: string; readonly sha256: string };

/** Trust as it was given, and whether the project is still what was trusted. */
export type Trusted = {
  readonly root: string;
  readonly trustedAt: string;
  readonly state: 'trusted' | 'changed' | 'gone';
};

/** The folder of what the user configures. Throws `no_place` where there is none. */
export function findConfig({ env, home }: Surroundings): string {
  const root = configRoot(env, home);
  if (root.kind === 'none') throw new PodError('no_place', root.says);
  return root.path;
}

/** The project whose `.podd/` lies in `folder` itself. Throws `no_project` with what it is instead. */
export async function readProject(folder: string, { cwd }: Surroundings): Promise<Project> {
  const wanted = resolve(cwd, folder);
  try {
    const root = await realpath(wanted);
    const file = join(root, '.podd', 'manifest.toml');
    await using handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const opened = await readlink(`/proc/self/fd/${handle.fd}`);
    if (opened !== file)
      throw new PodError(
        'no_project',
        `${file} is a link, to ${opened}: trust is for a project's own file`,
      );
    const stat = await handle.stat();
    if (!stat.isFile()) throw new PodError('no_project', `${file} is not a regular file`);
    if (stat.size > CLIENT_LIMITS.manifestBytes)
      throw new PodError(
        'no_project',
        `${file} has more than ${CLIENT_LIMITS.manifestBytes} bytes`,
      );
    return { root, file, sha256: sha256(await handle.readFile()) };
  } catch (cause) {
    if (cause instanceof PodError) throw cause;
    if (isCode(cause, 'ENOENT', 'ENOTDIR'))
      throw new PodError('no_project', `there is no .podd/manifest.toml in ${wanted}`, { cause });
    throw new PodError('no_project', `the project ${wanted} can't be read: ${sayWhy(cause)}`, {
      cause,
    });
  }
}

/** Says, in the user's configuration, that this very manifest is trusted. */
export async function trust(config: string, project: Project, now: Date): Promise<void> {
  const { root, sha256: manifestSha256 } = project;
  const file: TrustFile = { format: 1, root, manifestSha256, trustedAt: now.toISOString() };
  try {
    await makePrivateFolder(join(config, TRUST_FOLDER));
    await replacePrivate(trustFileOf(config, root), `${JSON.stringify(file, null, 2)}\n`);
  } catch (cause) {
    throw new PodError('no_project', `the trust can't be written in ${config}: ${sayWhy(cause)}`, {
      cause,
    });
  }
}

/** Takes it back; false if there was none. The project itself may be gone. */
export async function distrust(
  config: string,
  folder: string,
  { cwd }: Surroundings,
): Promise<boolean> {
  const wanted = resolve(cwd, folder);
  const root = await realpath(wanted).catch(() => wanted);
  try {
    await unlink(trustFileOf(config, root));
    return true;
  } catch (cause) {
    if (isCode(cause, 'ENOENT', 'ENOTDIR')) return false;
    throw new PodError(
      'no_project',
      `the trust can't be removed from ${config}: ${sayWhy(cause)}`,
      { cause },
    );
  }
}

export async function listTrusted(config: string, around: Surroundings): Promise<Trusted[]> {
  const folder = join(config, TRUST_FOLDER);
  const names = await readdir(folder).catch((cause: unknown) => {
    if (isCode(cause, 'ENOENT')) return [];
    throw new PodError('no_project', `${folder} can't be read: ${sayWhy(cause)}`, { cause });
  });
  const all: Trusted[] = [];
  for (const name of names.filter((one) => one.endsWith('.json'))) {
    const file = parseTrust(await readSmall(join(folder, name)));
    if (file === null) continue;
    const state = await stateOf(file, around);
    all.push({ root: file.root, trustedAt: file.trustedAt, state });
  }
  return all.sort((a, b) => (a.root < b.root ? -1 : 1));
}

async function stateOf(file: TrustFile, around: Surroundings): Promise<Trusted['state']> {
  const project = await readProject(file.root, around).catch(() => null);
  if (project === null) return 'gone';
  return project.sha256 === file.manifestSha256 ? 'trusted' : 'changed';
}

async function readSmall(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.length > TRUST_BYTES_MAX ? '' : text;
}

function sayWhy(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
