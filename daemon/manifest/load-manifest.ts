import { dirname } from 'node:path';
import { Fault } from '../core/fault.ts';
import { LIMITS } from '../core/limits.ts';
import { readTextFile } from '../support/read-text-file.ts';
import { type Manifest, parseManifest } from './parse-manifest.ts';

/** Reads and checks the manifest at an absolute path. `manifest_invalid` names every problem, in `data.problems` one by one. */
export async function loadManifest(
  file: string,
  options: { readonly home: string },
): Promise<Manifest> {
  const text = await readTextFile(file, LIMITS.manifestBytes);
  if (!text.ok)
    throw new Fault('manifest_invalid', `manifest ${file} ${text.error}`, {
      data: { file, problems: [text.error] },
    });
  const manifest = parseManifest(text.value, { file, folder: dirname(file), home: options.home });
  if (manifest.ok) return manifest.value;
  throw new Fault('manifest_invalid', `manifest ${file}: ${manifest.error.join('; ')}`, {
    data: { file, problems: manifest.error },
  });
}
