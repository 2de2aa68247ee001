import { createHash } from 'node:crypto';
import { join } from 'node:path';
import * as v from 'valibot';

/**
 * That a user trusts a project, and which manifest of it: one file a project, so that two commands at once lose
 * nothing. `podctl trust` writes it, podd reads it.
 */
export const TrustFile = v.object({
  format: v.literal(1),
  /** The project's folder, canonical. */
  root: v.string(),
  /** Of the bytes of `.podd/manifest.toml`, in hex: another content asks again. */
  manifestSha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  /** RFC 3339. */
  trustedAt: v.string(),
});
export type TrustFile = v.InferOutput<typeof TrustFile>;

/** Below the folder of what the user configures. */
export const TRUST_FOLDER = 'trust';

/** A trust file has less. */
export const TRUST_BYTES_MAX = 64 * 1024;

/** Where the trust in the project at `root` stands, if there is any. `root` is canonical. */
export function trustFileOf(configFolder: string, root: string): string {
  return join(configFolder, TRUST_FOLDER, `${sha256(root)}.json`);
}

/** Null for what is no such file of this format. */
export function parseTrust(text: string): TrustFile | null {
  try {
    const parsed = v.safeParse(TrustFile, JSON.parse(text));
    return parsed.success ? parsed.output : null;
  } catch {
    return null;
  }
}

export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
