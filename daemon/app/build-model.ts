import { basename } from 'node:path';
import { Fault } from '../core/fault.ts';
import type { Manifest, Provider } from '../manifest/parse-manifest.ts';
import { openAnthropicModel } from '../model/anthropic/anthropic-model.ts';
import { familyOf } from '../model/anthropic/families.ts';
import { planSettings } from '../model/anthropic/settings.ts';
import { loadScript } from '../model/scripted/load-script.ts';
import { openScriptedModel } from '../model/scripted/scripted-model.ts';
import type { Log } from '../ports/log.ts';
import type { Model } from '../ports/model.ts';
import { findKey } from './find-key.ts';

type Around = {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
};

/** The provider that the manifest names. Its SDK, where it has one, is loaded at the first request. */
export async function buildModel(
  { provider, maxTokens, sampling }: Manifest,
  around: Around,
): Promise<Model> {
  if (provider.kind === 'scripted') return await buildScripted(provider, around);
  const { model, connectMs, firstEventMs, idleMs, thinkingBudget, reasoningEffort } = provider;
  const family = familyOf(model);
  const asked = { maxTokens, thinkingBudget, reasoningEffort, ...sampling };
  const plan = planSettings(model, family, asked);
  if (!plan.ok) throw new Fault('provider_unusable', plan.error);
  return openAnthropicModel({
    model,
    apiKey: await findKey({
      kind: provider.kind,
      usual: 'ANTHROPIC_API_KEY',
      file: provider.apiKeyFile,
      ...around,
    }),
    baseUrl: provider.baseUrl ?? 'https://api.anthropic.com',
    ...plan.value,
    contextWindow: provider.contextWindow ?? family.contextWindow,
    timeouts: { connectMs, firstEventMs, idleMs },
    log: around.log,
  });
}

/** A script is a file of anybody's: what names a secret is not for it. */
const SECRET_VARIABLE = /KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL/i;

async function buildScripted(
  { scriptPath, contextWindow }: Extract<Provider, { kind: 'scripted' }>,
  { cwd, env }: Around,
): Promise<Model> {
  const script = await loadScript(scriptPath);
  const open = Object.entries(env).filter(
    (pair): pair is [string, string] => pair[1] !== undefined && !SECRET_VARIABLE.test(pair[0]),
  );
  return openScriptedModel(script, {
    name: basename(scriptPath),
    cwd,
    env: Object.fromEntries(open),
    ...(contextWindow === null ? {} : { contextWindow }),
  });
}
