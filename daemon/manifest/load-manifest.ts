import { basename, dirname } from 'node:path';
import { Fault } from '../core/fault.ts';
import { LIMITS } from '../core/limits.ts';
import type { Result } from '../core/result.ts';
import { readTextFile } from '../support/read-text-file.ts';
import type { FoundProject } from './find-project.ts';
import { manifestFault } from './manifest-fault.ts';
import { type LayerText, type Manifest, parseManifest } from './parse-manifest.ts';

/** Where the configuration of a Pod is looked for. Paths are absolute. */
export type ManifestSources = {
  /** The user's own; `isNamed` by a flag, it has to be there. Null: no such layer. */
  readonly user: { readonly file: string; readonly isNamed: boolean } | null;
  readonly pod: PodLayer;
  /** TOML from the command line, lowest first; relative to `cwd`. */
  readonly overlays: readonly { readonly source: string; readonly text: string }[];
  readonly cwd: () => string;
  readonly home: string;
};

/** The layer above the user's. */
export type PodLayer =
  | { readonly kind: 'file'; readonly file: string }
  | { readonly kind: 'stdin'; readonly read: () => Promise<Result<string, string>> }
  | { readonly kind: 'project'; readonly project: FoundProject; readonly isTrusted: boolean }
  | { readonly kind: 'none' };

export const STDIN = 'standard input';

/**
 * Reads, checks and merges the layers, the user's below the Pod's own, overlays on top. `manifest_invalid` names
 * every problem with the layer that has it, in `data.problems` one by one.
 */
export async function loadManifest(sources: ManifestSources): Promise<Manifest> {
  const { user, home } = sources;
  const layers: LayerText[] = [];
  if (user !== null) {
    const text = await readTextFile(user.file, LIMITS.manifestBytes);
    if (text.ok) layers.push(fileLayer(user.file, text.value));
    else if (user.isNamed || text.error !== 'does not exist') throw unread(user.file, text.error);
  }
  const own = await readPodLayer(sources);
  if (own !== null) layers.push(own);
  for (const overlay of sources.overlays)
    layers.push({ ...overlay, folder: sources.cwd(), untrusted: null });
  // What no layer says is told of the one that could best say it.
  const file = (own ?? layers[0])?.source;
  if (file === undefined) throw nothingFound(sources);
  const manifest = parseManifest(layers, { file, home });
  if (manifest.ok) return manifest.value;
  throw manifestFault(file, manifest.error);
}

async function readPodLayer({ pod, cwd }: ManifestSources): Promise<LayerText | null> {
  switch (pod.kind) {
    case 'none':
      return null;
    case 'file': {
      const text = await readTextFile(pod.file, LIMITS.manifestBytes);
      if (!text.ok) throw unread(pod.file, `${text.error}${hintFor(text.error)}`);
      return { ...fileLayer(pod.file, text.value), folder: folderOf(pod.file) };
    }
    case 'stdin': {
      const text = await pod.read();
      if (!text.ok) throw unread(STDIN, text.error);
      return { source: STDIN, text: text.value, folder: cwd(), untrusted: null };
    }
    case 'project': {
      const { file, root, text } = pod.project;
      return { source: file, text, folder: root, untrusted: pod.isTrusted ? null : root };
    }
  }
}

/** A project's manifest means the same, found or named. */
function folderOf(file: string): string {
  const folder = dirname(file);
  return basename(folder) === '.podd' ? dirname(folder) : folder;
}

function fileLayer(file: string, text: string): LayerText {
  return { source: file, text, folder: dirname(file), untrusted: null };
}

function hintFor(error: string): string {
  return error === 'is not a regular file' ? '; what a pipe brings is read with --manifest -' : '';
}

function nothingFound({ user }: ManifestSources): Fault {
  const users = user === null ? '' : ` and ${user.file}`;
  const says = `there is no manifest: looked for .podd/manifest.toml from here upwards${users}; make one with podctl init, or name one with --manifest`;
  return new Fault('manifest_invalid', says, { data: { file: null, problems: [says] } });
}

function unread(file: string, says: string): Fault {
  return new Fault('manifest_invalid', `manifest ${file} ${says}`, {
    data: { file, problems: [says] },
  });
}
