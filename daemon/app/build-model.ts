import { basename } from 'node:path';
import { Fault } from '../core/fault.ts';
import type { Manifest } from '../manifest/parse-manifest.ts';
import type { Provider } from '../manifest/provider.ts';
import { openAnthropicModel } from '../model/anthropic/anthropic-model.ts';
import { familyOf } from '../model/anthropic/families.ts';
import { type AskedSettings, planSettings } from '../model/anthropic/settings.ts';
import { loadScript } from '../model/scripted/load-script.ts';
import { pricesOf } from '../model/prices.ts';
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
  return await openModel(provider, { table: 'provider', maxTokens, ...sampling }, around);
}

/** Of one answer. What the worker is asked with is not for it. */
const COMPACTOR_TOKENS_MAX = 4096;

/** The compactor's own, if the manifest names one; null: it asks the Pod's. */
export async function buildCompactorModel(
  { compaction: { provider } }: Manifest,
  around: Around,
): Promise<Model | null> {
  if (provider === null) return null;
  return await openModel(
    provider,
    {
      table: 'compaction.provider',
      maxTokens: COMPACTOR_TOKENS_MAX,
      // No provider of this version is sent one.
      temperature: null,
      topP: null,
      stop: [],
    },
    around,
  );
}

type Wishes = Omit<AskedSettings, 'thinkingBudget' | 'reasoningEffort'>;

async function openModel(provider: Provider, wishes: Wishes, around: Around): Promise<Model> {
  if (provider.kind === 'scripted') return await buildScripted(provider, around);
  const { model, connectMs, firstEventMs, idleMs, thinkingBudget, reasoningEffort } = provider;
  const family = familyOf(model);
  const plan = planSettings(model, family, { ...wishes, thinkingBudget, reasoningEffort });
  if (!plan.ok) throw new Fault('provider_unusable', plan.error);
  return openAnthropicModel({
    model,
    apiKey: await findKey({
      kind: provider.kind,
      usual: 'ANTHROPIC_API_KEY',
      file: provider.apiKeyFile,
      fileKey: `${wishes.table}.api_key_file`,
      ...around,
    }),
    baseUrl: provider.baseUrl ?? 'https://api.anthropic.com',
    ...plan.value,
    contextWindow: provider.contextWindow ?? family.contextWindow,
    prices: provider.baseUrl === null ? pricesOf(model) : undefined,
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
