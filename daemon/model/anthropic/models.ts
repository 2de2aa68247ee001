/** What a family of models takes. Tokens. */
type Family = { readonly contextWindow: number; readonly maxTokens: number };

/** The first that fits. By the vendor's model pages; unknown models are taken to be like the current ones. */
const FAMILIES: readonly (readonly [RegExp, Family])[] = [
  [/^claude-3-(?:opus|sonnet|haiku)/, { contextWindow: 200_000, maxTokens: 4096 }],
  [/^claude-3-5/, { contextWindow: 200_000, maxTokens: 8192 }],
  [/^claude-opus-4-(?:0|1|2025)/, { contextWindow: 200_000, maxTokens: 32_000 }],
];
const CURRENT: Family = { contextWindow: 200_000, maxTokens: 64_000 };

export function familyOf(model: string): Family {
  return FAMILIES.find(([pattern]) => pattern.test(model))?.[1] ?? CURRENT;
}
