import { stat } from 'node:fs/promises';
import { Fault } from '../core/fault.ts';
import type { Log } from '../ports/log.ts';
import { readTextFile } from '../support/read-text-file.ts';

const KEY_BYTES_MAX = 4096;

export type KeySources = {
  readonly kind: string;
  /** What the vendor's own tools look at. */
  readonly usual: string;
  readonly file: string | null;
  /** The manifest's key that names the file. */
  readonly fileKey: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
};

/** A provider's key (PROV-7). Throws `provider_unusable`, which names all the places, never what is in them. */
export async function findKey({
  kind,
  usual,
  file,
  fileKey,
  env,
  log,
}: KeySources): Promise<string> {
  const own = `PODD_API_KEY_${kind.toUpperCase()}`;
  const named = (env[own] ?? '').trim();
  if (named !== '') return checked(named, `$${own}`);
  if (file !== null) return checked(await readKeyFile(file, log), file);
  const vendors = (env[usual] ?? '').trim();
  if (vendors !== '') return checked(vendors, `$${usual}`);
  throw new Fault(
    'provider_unusable',
    `there is no key for ${kind}: set ${own}, or name a file with ${fileKey}, or set ${usual}`,
  );
}

async function readKeyFile(file: string, log: Log): Promise<string> {
  const text = await readTextFile(file, KEY_BYTES_MAX);
  if (!text.ok) throw new Fault('provider_unusable', `the key file ${file} ${text.error}`);
  const { mode } = await stat(file);
  if ((mode & 0o077) !== 0) log.warn('the key file may be read by others: chmod 600 it', { file });
  return text.value.trim();
}

// It goes into a header.
function checked(key: string, place: string): string {
  if (/^[\x21-\x7e]+$/.test(key)) return key;
  throw new Fault(
    'provider_unusable',
    `${place} holds no key: one line without spaces is expected`,
  );
}
