import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { vi } from 'vitest';
import { ROOT } from './source-tree.ts';

const SDK = join(ROOT, 'node_modules/@anthropic-ai/sdk');

/** The variables of the vendor's that the SDK reads anywhere, as its code names them. */
export async function sdkVariables(): Promise<string[]> {
  const names = new Set<string>();
  for (const entry of await readdir(SDK, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.mjs')) continue;
    const text = await readFile(join(entry.parentPath, entry.name), 'utf8');
    for (const [name] of text.matchAll(/\bANTHROPIC_[A-Z_]+\b/g)) names.add(name);
  }
  return [...names].sort();
}

/** Sets them all until `vi.unstubAllEnvs`, also a profile in `folder`; each to something that would show. */
export async function poisonEnvironment(folder: string): Promise<void> {
  for (const name of await sdkVariables()) vi.stubEnv(name, 'poison');
  await mkdir(join(folder, 'configs'));
  const profile = {
    base_url: 'http://127.0.0.1:9',
    organization_id: 'poison',
    workspace_id: 'poison',
    authentication: { type: 'user_oauth', client_id: 'poison' },
  };
  await writeFile(join(folder, 'configs/poison.json'), JSON.stringify(profile));
  vi.stubEnv('ANTHROPIC_CONFIG_DIR', folder);
  vi.stubEnv('ANTHROPIC_BASE_URL', 'http://127.0.0.1:9');
  vi.stubEnv('ANTHROPIC_LOG', 'debug');
  const headers = ['x-poison', 'Authorization', 'X-Api-Key', 'Anthropic-Version', 'anthropic-beta'];
  vi.stubEnv('ANTHROPIC_CUSTOM_HEADERS', headers.map((name) => `${name}: poison`).join('\n'));
}
