import type { ThinkingConfigParam } from '@anthropic-ai/sdk/resources/messages/messages';
import { ok, refuse, type Result } from '../../core/result.ts';
import type { Effort, Family } from './families.ts';

/** What the manifest asks for; null where it does not. */
export type AskedSettings = {
  /** The manifest's table that names the model, for messages; what else is asked for stands in `worker`. */
  readonly table: 'provider' | 'compaction.provider';
  /** Tokens of one answer. */
  readonly maxTokens: number | null;
  /** Tokens. */
  readonly thinkingBudget: number | null;
  readonly reasoningEffort: string | null;
  readonly temperature: number | null;
  readonly topP: number | null;
  readonly stop: readonly string[];
};

/** What is sent with every request of a Pod. */
export type Settings = {
  readonly maxTokens: number;
  readonly thinking: ThinkingConfigParam | null;
  readonly effort: Effort | null;
  readonly stop: readonly string[];
  readonly systemMessages: boolean;
};

/** Of a budget, by the API. */
const BUDGET_MIN = 1024;

/**
 * What of the manifest's wishes a model takes, and in one sentence each what it does not and is therefore not sent. Refused
 * is what can't be sent at all.
 */
export function planSettings(
  model: string,
  family: Family,
  asked: AskedSettings,
): Result<{ readonly settings: Settings; readonly unsent: readonly string[] }, string> {
  const maxTokens = asked.maxTokens ?? family.maxTokens;
  const unsent: string[] = [];
  // The API's version that the SDK speaks has none of them, whatever the model.
  const sampling = [
    ...(asked.temperature === null ? [] : ['worker.temperature']),
    ...(asked.topP === null ? [] : ['worker.top_p']),
  ];
  if (sampling.length > 0)
    unsent.push(`${sampling.join(' and ')}: Claude's API no longer takes sampling parameters`);
  const effort = family.efforts.find((level) => level === asked.reasoningEffort) ?? null;
  if (asked.reasoningEffort !== null && effort === null)
    unsent.push(
      `${asked.table}.reasoning_effort "${asked.reasoningEffort}": ${sayEfforts(model, family, asked.table)}`,
    );
  const budget = asked.thinkingBudget;
  if (budget !== null && family.thinking === 'adaptive')
    unsent.push(
      `the number of ${asked.table}.thinking_budget: ${model} thinks, and decides itself how much (${asked.table}.reasoning_effort)`,
    );
  if (budget !== null && family.thinking === null)
    unsent.push(`${asked.table}.thinking_budget: ${model} does not think`);
  const isBudgeted = family.thinking === 'budget' || family.thinking === 'either';
  if (budget !== null && isBudgeted && (budget < BUDGET_MIN || budget >= maxTokens))
    return refuse(
      `${asked.table}.thinking_budget is ${budget}: ${model} takes ${BUDGET_MIN} or more, and fewer than an answer may have (${maxTokens}${asked.table === 'provider' ? '; worker.max_tokens' : ''})`,
    );
  const thinking = planThinking(family, budget, effort);
  const { stop } = asked;
  const { systemMessages } = family;
  return ok({ settings: { maxTokens, thinking, effort, stop, systemMessages }, unsent });
}

function planThinking(
  { thinking, thinksHidden }: Family,
  budget: number | null,
  effort: Effort | null,
): ThinkingConfigParam | null {
  if (thinking === 'adaptive')
    return budget === null && effort === null
      ? null
      : { type: 'adaptive', ...(thinksHidden ? { display: 'summarized' } : {}) };
  return budget === null || thinking === null ? null : { type: 'enabled', budget_tokens: budget };
}

function sayEfforts(model: string, { efforts, thinking }: Family, table: string): string {
  if (efforts.length > 0) return `${model} knows ${efforts.join(', ')}`;
  return thinking === 'budget'
    ? `${model} knows none; ${table}.thinking_budget makes it think`
    : `${model} knows none`;
}
