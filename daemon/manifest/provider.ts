import { LIMITS } from '../core/limits.ts';
import type { ManifestTable } from './schema.ts';

/** Who answers model requests. */
export type Provider = {
  /** Tokens; null where the manifest names none. */
  readonly contextWindow: number | null;
  /** Times that one request is sent again. */
  readonly maxRetries: number;
} & (
  | { readonly kind: 'scripted'; readonly scriptPath: string }
  | {
      readonly kind: 'anthropic';
      readonly model: string;
      readonly apiKeyFile: string | null;
      /** Null: the vendor's. */
      readonly baseUrl: string | null;
      readonly connectMs: number;
      readonly firstEventMs: number;
      readonly idleMs: number;
      /** Tokens. */
      readonly thinkingBudget: number | null;
      readonly reasoningEffort: string | null;
    }
);

export function toProvider(provider: ManifestTable['provider']): Provider {
  const contextWindow = provider.context_window ?? null;
  const maxRetries = provider.max_retries ?? LIMITS.retries;
  if (provider.kind === 'anthropic')
    return {
      kind: 'anthropic',
      contextWindow,
      maxRetries,
      model: provider.model ?? '',
      apiKeyFile: provider.api_key_file ?? null,
      baseUrl: provider.base_url ?? null,
      connectMs: provider.connect_timeout_ms ?? LIMITS.connectMs,
      firstEventMs: provider.first_event_timeout_ms ?? LIMITS.firstEventMs,
      idleMs: provider.idle_timeout_ms ?? LIMITS.idleMs,
      thinkingBudget: provider.thinking_budget ?? null,
      reasoningEffort: provider.reasoning_effort ?? null,
    };
  return { kind: 'scripted', contextWindow, maxRetries, scriptPath: provider.script ?? '' };
}
