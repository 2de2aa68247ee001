import {
  type CompactionSettings,
  NO_COMPACTION_SECTION,
  PRUNE_DEFAULTS,
} from '../core/compaction-settings.ts';
import { type Provider, toProvider } from './provider.ts';
import type { ManifestTable } from './schema.ts';

export type Compaction = CompactionSettings & {
  /** Whom the compactor asks; null: the Pod's own. */
  readonly provider: Provider | null;
};

/** The section itself, even an empty one, is what turns pruning on. */
export function toCompaction(section: ManifestTable['compaction']): Compaction {
  const none = NO_COMPACTION_SECTION;
  if (section === undefined) return { ...none, provider: null };
  return {
    prune: {
      protectedTurns: section.prune_protected_turns ?? PRUNE_DEFAULTS.protectedTurns,
      protectedTokens: section.prune_protected_tokens ?? PRUNE_DEFAULTS.protectedTokens,
      minSavings: section.prune_min_savings ?? PRUNE_DEFAULTS.minSavings,
    },
    threshold: section.compact_threshold ?? none.threshold,
    requestThreshold: section.compact_request_threshold ?? none.requestThreshold,
    retainedTokens: section.compact_retained_tokens ?? none.retainedTokens,
    autoReadBudget: section.compact_auto_read_budget ?? none.autoReadBudget,
    workerMaxInputTokens: section.compact_worker_max_input_tokens ?? none.workerMaxInputTokens,
    onRefusal: section.on_refusal ?? none.onRefusal,
    strategy: section.strategy ?? none.strategy,
    provider: section.provider === undefined ? null : toProvider(section.provider),
  };
}

/** What is allowed and hardly meant. */
export function compactionWarnings(compaction: Compaction): string[] {
  const { threshold, requestThreshold, retainedTokens, strategy, provider } = compaction;
  const warnings: string[] = [];
  if (threshold !== null && requestThreshold !== null && threshold > requestThreshold)
    warnings.push(
      `compaction.compact_threshold is ${threshold}, above compaction.compact_request_threshold, ${requestThreshold}: it is hardly ever reached, since a run compacts first`,
    );
  const lowest = Math.min(
    threshold ?? Number.POSITIVE_INFINITY,
    requestThreshold ?? Number.POSITIVE_INFINITY,
  );
  if (lowest <= retainedTokens)
    warnings.push(
      `compaction.compact_retained_tokens is ${retainedTokens}, and a threshold is ${lowest}: what is retained alone fills it, so that there is nothing to compact`,
    );
  if (strategy === 'prefix' && provider !== null)
    warnings.push(
      'compaction.provider is not asked with compaction.strategy = "prefix": the Pod’s own model has the conversation in its cache',
    );
  return warnings;
}
