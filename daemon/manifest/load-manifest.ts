import { dirname } from 'node:path';
import { Fault } from '../core/fault.ts';
import { LIMITS } from '../core/limits.ts';
import { readTextFile } from '../support/read-text-file.ts';
import { manifestFault } from './manifest-fault.ts';
import { type LayerText, type Manifest, parseManifest } from './parse-manifest.ts';

/** Where the configuration of a Pod is looked for. Paths are absolute. */
export type ManifestSources = {
  readonly manifest: string;
  /** The user's own; `isNamed` by a flag, it has to be there. Null: no such layer. */
  readonly user: { readonly file: string; readonly isNamed: boolean } | null;
  /** TOML from the command line, lowest first; relative to `cwd`. */
  readonly overlays: readonly { readonly source: string; readonly text: string }[];
  readonly cwd: () => string;
  readonly home: string;
};

/**
 * Reads, checks and merges the layers, the user's below the named manifest, overlays on top. `manifest_invalid` names
 * every problem with the layer that has it, in `data.problems` one by one.
 */
export async function loadManifest(sources: ManifestSources): Promise<Manifest> {
  const { manifest: file, user, home } = sources;
  const layers: LayerText[] = [];
  if (user !== null) {
    const text = await readTextFile(user.file, LIMITS.manifestBytes);
    if (text.ok) layers.push(fileLayer(user.file, text.value));
    else if (user.isNamed || text.error !== 'does not exist') throw unread(user.file, text.error);
  }
  const text = await readTextFile(file, LIMITS.manifestBytes);
  if (!text.ok) throw unread(file, text.error);
  layers.push(fileLayer(file, text.value));
  for (const overlay of sources.overlays) layers.push({ ...overlay, folder: sources.cwd() });
  const manifest = parseManifest(layers, { file, home });
  if (manifest.ok) return manifest.value;
  throw manifestFault(file, manifest.error);
}

function fileLayer(file: string, text: string): LayerText {
  return { source: file, text, folder: dirname(file) };
}

function unread(file: string, says: string): Fault {
  return new Fault('manifest_invalid', `manifest ${file} ${says}`, {
    data: { file, problems: [says] },
  });
}
