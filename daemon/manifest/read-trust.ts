import { parseTrust, TRUST_BYTES_MAX, trustFileOf } from '../../protocol/trust.ts';
import { readTextFile } from '../support/read-text-file.ts';
import type { FoundProject } from './find-project.ts';

/** `changed`: trusted once, when its manifest was another. What can't be read counts as no trust. */
export type Trust = 'trusted' | 'changed' | 'unknown';

/** What the user has said of a project. `config` is the folder of what the user configures, null without a home. */
export async function readTrust(
  config: string | null,
  { root, sha256 }: Pick<FoundProject, 'root' | 'sha256'>,
): Promise<Trust> {
  if (config === null) return 'unknown';
  const text = await readTextFile(trustFileOf(config, root), TRUST_BYTES_MAX);
  const trust = text.ok ? parseTrust(text.value) : null;
  if (trust?.root !== root) return 'unknown';
  return trust.manifestSha256 === sha256 ? 'trusted' : 'changed';
}
