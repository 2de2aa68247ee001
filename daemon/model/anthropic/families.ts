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

const CURRENT: Family = { ...HIDDEN, systemMessages: true };

/** Versions of a line, as hundreds and units: 4.1 is 401. */
type Range = readonly [first: number, last: number, family: Family];

/** The ranges that are known, oldest first. */
const LINES: ReadonlyMap<string, readonly Range[]> = new Map([
  [
    'opus',
    [
      [300, 300, THOUGHTLESS],
      [400, 401, { ...BUDGETED, maxTokens: 32_000 }],
      [405, 405, { ...BUDGETED, efforts: ['low', 'medium', 'high'] }],
      [406, 406, ADAPTIVE],
      [407, 407, HIDDEN],
      [408, 408, CURRENT],
      [500, 599, CURRENT],
    ],
  ],
  [
    'sonnet',
    [
      [300, 300, THOUGHTLESS],
      [305, 305, { ...THOUGHTLESS, maxTokens: 8192 }],
      [307, 307, BUDGETED],
      [400, 405, BUDGETED],
      [406, 406, { ...ADAPTIVE, maxTokens: 64_000 }],
      [500, 599, HIDDEN],
    ],
  ],
  [
    'haiku',
    [
      [300, 300, THOUGHTLESS],
      [305, 305, { ...THOUGHTLESS, maxTokens: 8192 }],
      [400, 405, BUDGETED],
      [500, 599, HIDDEN],
    ],
  ],
  ['fable', [[500, 599, CURRENT]]],
  ['mythos', [[500, 599, CURRENT]]],
]);

/** Of a compatible server, or of a line that is not known: what the manifest asks for is sent as it is. */
const UNKNOWN: Family = { ...BUDGETED, thinking: 'either', efforts: EFFORTS };

/** Also of dated ids, of those with a vendor's prefix, and of those with dots (`anthropic/claude-opus-4.5`). */
export function familyOf(model: string): Family {
  if (model.includes('claude-mythos-preview')) return { ...ADAPTIVE, thinksHidden: true };
  const [line, version] = parseId(model) ?? ['', 0];
  const range = LINES.get(line)?.findLast(([first]) => first <= version);
  if (range === undefined) return UNKNOWN;
  const [, last, family] = range;
  return version <= last ? family : newerThan(family);
}

/** `claude-opus-4-1-20250805`; and as it once was, `claude-3-5-sonnet-latest`. */
function parseId(model: string): readonly [line: string, version: number] | null {
  const id =
    /claude-(?<line>[a-z]+)-(?<major>\d{1,2})(?!\d)(?:[-.](?<minor>\d{1,2})(?![\da-z]))?/.exec(
      model,
    ) ?? /claude-(?<major>\d)(?:[-.](?<minor>\d))?-(?<line>[a-z]+)/.exec(model);
  if (id?.groups === undefined) return null;
  const { line = '', major, minor = '0' } = id.groups;
  return [line, 100 * Number(major) + Number(minor)];
}

/**
 * Of a version that is newer than what is known of its line. How it thinks goes on from one to the next: an old way of
 * asking is refused, and so would be what is asked in no known way. What would make each request fail if it were guessed
 * wrong is not guessed: answers stay as short as all newer ones take, and system messages are text of the user's side.
 */
function newerThan(family: Family): Family {
  const maxTokens = Math.min(family.maxTokens, UNKNOWN.maxTokens);
  return { ...family, maxTokens, systemMessages: false };
}
