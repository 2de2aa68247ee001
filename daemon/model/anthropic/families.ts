import type { OutputConfig } from '@anthropic-ai/sdk/resources/messages/messages';

export type Effort = NonNullable<OutputConfig['effort']>;

/** What a family of models takes (PROV-10), by the vendor's model pages. Window and answer in tokens. */
export type Family = {
  readonly contextWindow: number;
  readonly maxTokens: number;
  /** `budget`: it thinks when given one; `adaptive`: it decides by itself; `either`: not known, so what is asked is sent. */
  readonly thinking: 'budget' | 'adaptive' | 'either' | null;
  /** It shows what it thought only when asked to. */
  readonly thinksHidden: boolean;
  readonly efforts: readonly Effort[];
  /** System messages behind the first user message. */
  readonly systemMessages: boolean;
};

const EFFORTS: readonly Effort[] = ['low', 'medium', 'high', 'xhigh', 'max'];

const THOUGHTLESS: Family = {
  contextWindow: 200_000,
  maxTokens: 4096,
  thinking: null,
  thinksHidden: false,
  efforts: [],
  systemMessages: false,
};
const BUDGETED: Family = { ...THOUGHTLESS, maxTokens: 64_000, thinking: 'budget' };
const ADAPTIVE: Family = {
  contextWindow: 1_000_000,
  maxTokens: 128_000,
  thinking: 'adaptive',
  thinksHidden: false,
  efforts: EFFORTS.filter((effort) => effort !== 'xhigh'),
  systemMessages: false,
};
const HIDDEN: Family = { ...ADAPTIVE, thinksHidden: true, efforts: EFFORTS };

/** The first that fits. Dated ids and those with a vendor's prefix are meant too. */
const FAMILIES: readonly (readonly [RegExp, Family])[] = [
  [/claude-3-(?:opus|sonnet|haiku)/, THOUGHTLESS],
  [/claude-3-5/, { ...THOUGHTLESS, maxTokens: 8192 }],
  [/claude-3-7/, BUDGETED],
  [/claude-opus-4-(?:[01]|20\d{6})(?!\d)/, { ...BUDGETED, maxTokens: 32_000 }],
  [/claude-opus-4-5(?!\d)/, { ...BUDGETED, efforts: ['low', 'medium', 'high'] }],
  [/claude-(?:sonnet|haiku)-4-(?:[0-5]|20\d{6})(?!\d)/, BUDGETED],
  [/claude-opus-4-6(?!\d)/, ADAPTIVE],
  [/claude-sonnet-4-6(?!\d)/, { ...ADAPTIVE, maxTokens: 64_000 }],
  [/claude-mythos-preview/, { ...ADAPTIVE, thinksHidden: true }],
  [/claude-opus-4-7(?!\d)/, HIDDEN],
  [/claude-(?:opus-4-8|(?:opus|fable|mythos)-5)(?!\d)/, { ...HIDDEN, systemMessages: true }],
  [/claude-(?:sonnet|haiku)-5(?!\d)/, HIDDEN],
];

/** Of a compatible server, or newer than this table: what the manifest asks for is sent as it is. */
const UNKNOWN: Family = { ...BUDGETED, thinking: 'either', efforts: EFFORTS };

export function familyOf(model: string): Family {
  return FAMILIES.find(([pattern]) => pattern.test(model))?.[1] ?? UNKNOWN;
}
