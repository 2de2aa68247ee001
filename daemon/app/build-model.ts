import { basename } from 'node:path';
import type { Manifest } from '../manifest/parse-manifest.ts';
import type { Model } from '../ports/model.ts';
import { loadScript } from '../model/scripted/load-script.ts';
import { openScriptedModel } from '../model/scripted/scripted-model.ts';

/** The provider that the manifest names. Its SDK, where it has one, is loaded at the first request. */
export async function buildModel(
  { provider }: Manifest,
  around: { readonly cwd: string; readonly env: Readonly<Record<string, string | undefined>> },
): Promise<Model> {
  const script = await loadScript(provider.scriptPath);
  const env = Object.entries(around.env).filter(
    (pair): pair is [string, string] => pair[1] !== undefined,
  );
  return openScriptedModel(script, {
    name: basename(provider.scriptPath),
    cwd: around.cwd,
    env: Object.fromEntries(env),
    ...(provider.contextWindow === null ? {} : { contextWindow: provider.contextWindow }),
  });
}
