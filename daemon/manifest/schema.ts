import * as v from 'valibot';
import { NO_COMPACTION_SECTION, PRUNE_DEFAULTS } from '../core/compaction-settings.ts';
import { LIMITS } from '../core/limits.ts';

/** The keys that this version uses. Each message says what is expected; a key of `LATER_KEYS` is refused by name. */

const described = <S extends v.GenericSchema>(schema: S, says: string) =>
  v.pipe(schema, v.description(says));

const count = (most: number, says: string, least = 1) => {
  const range = `a whole number from ${least} to ${most}`;
  return v.pipe(
    v.number(range),
    v.integer(range),
    v.minValue(least, range),
    v.maxValue(most, range),
    v.description(says),
  );
};

/** Enough for any model and any file, and far from where sums lose precision. */
const COUNT_MAX = 1_000_000_000;

const fraction = (most: number, says: string) => {
  const range = `a number from 0 to ${most}`;
  return v.pipe(
    v.number(range),
    v.minValue(0, range),
    v.maxValue(most, range),
    v.description(says),
  );
};

const STOPS_MAX = 16;
const STOP = 'a text that is not blank';

const NAME = 'a name of 1 to 64 characters of a-z 0-9 . _ -, beginning with a-z or 0-9';
export const PodName = v.pipe(
  v.string(NAME),
  // One pattern, since a JSON Schema has room for one.
  v.regex(/^(?!.*\.(?:json|lock)$)[a-z0-9][a-z0-9._-]{0,63}$/, ({ input }) =>
    /\.(?:json|lock)$/.test(input) ? 'a name that does not end in .json or .lock' : NAME,
  ),
  v.description('Unique among the live Pods of this user.'),
);

const path = (says: string) =>
  v.pipe(
    v.string('a path'),
    // Not by its length: the message would tell 0 as what it got.
    v.regex(/[\s\S]/, 'a path'),
    v.check((value) => !value.includes('\0'), 'a path'),
    v.description(says),
  );

const text = (says: string, expected: string) =>
  v.pipe(v.string(expected), v.regex(/^[^\s\p{C}]{1,200}$/u, expected), v.description(says));

const URL_RULE = 'an address that begins with http:// or https://';
const HOUR_MS = 3_600_000;

const Rule = v.strictObject({
  target: path(
    'A file or folder; relative to the manifest, or to the project it is of. ~/ is the home folder.',
  ),
  permission: described(
    v.picklist(['read', 'write']),
    'What it allows, write with read; or, in scope.deny, takes: read takes both.',
  ),
  recursive: v.optional(
    described(v.boolean(), 'With all below it, not just what lies directly in it.'),
    true,
  ),
});

const INSTRUCTION = 'a prompt: $podd/NAME, $user/NAME or $workspace/NAME';

const OUTPUT_BYTES = `Cap on the content of a tool result, in bytes. Default: ${LIMITS.resultContentBytes}.`;

/** Kinds that the manifest will know; only `scripted` is built. */
export const PROVIDER_KINDS = ['scripted', 'anthropic', 'openai', 'gemini', 'ollama'] as const;

export const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;

/** All tools of this version. */
export const TOOL_NAMES = ['Edit', 'Read', 'Write'] as const;
export type ToolName = (typeof TOOL_NAMES)[number];

function capOfEach() {
  const cap = v.optional(count(COUNT_MAX, 'The cap for this tool, in bytes.'));
  return v.entriesFromList(TOOL_NAMES, cap);
}

const ProviderTable = v.strictObject({
  kind: described(
    v.picklist(PROVIDER_KINDS),
    'Who answers the model requests. This version has scripted and anthropic.',
  ),
  script: v.optional(path('The file that a scripted model plays.')),
  model: v.optional(text('The model’s id; required but for scripted.', 'a model’s id')),
  api_key_file: v.optional(path('Holds the key, and nothing else; for its owner alone.')),
  base_url: v.optional(
    v.pipe(
      v.string(URL_RULE),
      v.regex(/^https?:\/\/[^\s/?#]+[^\s?#]*$/, URL_RULE),
      v.description('Of a compatible server. Default: the vendor’s.'),
    ),
  ),
  max_retries: v.optional(
    count(100, `Times that one request is sent again. Default: ${LIMITS.retries}.`, 0),
  ),
  connect_timeout_ms: v.optional(count(HOUR_MS, 'Default: 10000.')),
  first_event_timeout_ms: v.optional(
    count(HOUR_MS, 'From the request to the first event of its answer. Default: 60000.'),
  ),
  idle_timeout_ms: v.optional(
    count(HOUR_MS, 'An answer that is silent for this long is broken. Default: 120000.'),
  ),
  thinking_budget: v.optional(
    count(COUNT_MAX, 'Tokens that the model may think for, where it takes such a number.'),
  ),
  reasoning_effort: v.optional(
    described(v.picklist(EFFORTS), 'How hard the model thinks; each knows some of these.'),
  ),
  context_window: v.optional(count(COUNT_MAX, 'Of the model, in tokens.')),
});

const { retainedTokens, autoReadBudget, workerMaxInputTokens } = NO_COMPACTION_SECTION;

const COMPACTION_SAYS = 'What of a long context is left out, and when it is summarised.';

const COMPACTION = {
  prune_protected_turns: v.optional(
    count(
      COUNT_MAX,
      `Last turns of the user in which no tool result is left out. Default: ${PRUNE_DEFAULTS.protectedTurns}.`,
      0,
    ),
  ),
  prune_protected_tokens: v.optional(
    count(
      COUNT_MAX,
      `Of one long turn, only so many of its last tokens stay whole. Default: ${PRUNE_DEFAULTS.protectedTokens}.`,
    ),
  ),
  prune_min_savings: v.optional(
    count(
      COUNT_MAX,
      `Nothing is left out before it saves so many tokens. Default: ${PRUNE_DEFAULTS.minSavings}.`,
    ),
  ),
  compact_threshold: v.optional(
    count(COUNT_MAX, 'Tokens; over it after a run, the history is summarised. Default: never.'),
  ),
  compact_request_threshold: v.optional(
    count(
      COUNT_MAX,
      'Tokens; over it before a request inside a run, the history is summarised first. Default: never.',
    ),
  ),
  compact_retained_tokens: v.optional(
    count(
      COUNT_MAX,
      `The end of the history that stays as it is, in tokens. Default: ${retainedTokens}.`,
      0,
    ),
  ),
  compact_auto_read_budget: v.optional(
    count(
      COUNT_MAX,
      `Text of files that the compactor may carry over, in tokens. Default: ${autoReadBudget}.`,
      0,
    ),
  ),
  compact_worker_max_input_tokens: v.optional(
    count(
      COUNT_MAX,
      `What the compactor itself is sent, in tokens, at most. Default: ${workerMaxInputTokens}.`,
    ),
  ),
  on_refusal: v.optional(
    described(
      v.boolean(),
      `A prompt that the provider calls too long is summarised and sent once more. Default: ${NO_COMPACTION_SECTION.onRefusal}.`,
    ),
  ),
  strategy: v.optional(
    described(
      v.picklist(['worker', 'prefix']),
      `Who summarises: a conversation of its own, or one more request of the session. Default: ${NO_COMPACTION_SECTION.strategy}.`,
    ),
  ),
};

export const ManifestTable = v.strictObject({
  pod: v.strictObject({ name: PodName }),
  provider: ProviderTable,
  worker: v.optional(
    described(
      v.strictObject({
        instruction: v.optional(
          described(
            v.string(INSTRUCTION),
            'The system prompt: $podd/NAME, $user/NAME or $workspace/NAME. Default: $podd/default.',
          ),
        ),
        max_tokens: v.optional(count(COUNT_MAX, 'Of one answer, at most. Default: the model’s.')),
        temperature: v.optional(fraction(2, 'Sent where the model takes it.')),
        top_p: v.optional(fraction(1, 'Sent where the model takes it.')),
        stop: v.optional(
          v.pipe(
            v.array(v.pipe(v.string(STOP), v.regex(/\S/, STOP))),
            v.maxLength(STOPS_MAX, `at most ${STOPS_MAX} texts`),
            v.description('Texts at which an answer ends.'),
          ),
        ),
        max_turns: v.optional(count(COUNT_MAX, 'Model requests in one run. Default: unlimited.')),
        notifications: v.optional(
          described(
            v.picklist(['history', 'transient']),
            'How notes reach the model: kept in its history, or with one request alone. Default: history.',
          ),
        ),
        tool_output: v.optional(
          described(
            v.strictObject({
              default_max_bytes: v.optional(count(COUNT_MAX, OUTPUT_BYTES)),
              per_tool: v.optional(
                described(v.strictObject(capOfEach()), 'Other caps, by the name of the tool.'),
              ),
            }),
            'How much of what tools put out the model is shown.',
          ),
        ),
      }),
      'How the model is asked.',
    ),
  ),
  scope: v.strictObject({
    allow: v.pipe(v.array(Rule), v.minLength(1, 'at least one [[scope.allow]]')),
    deny: v.optional(v.array(Rule), []),
  }),
  compaction: v.optional(
    described(
      v.strictObject({ ...COMPACTION, provider: v.optional(ProviderTable) }),
      COMPACTION_SAYS,
    ),
  ),
});
export type ManifestTable = v.InferOutput<typeof ManifestTable>;

/** What one layer may say: the same keys, none of them required. */
export const LayerTable = v.strictObject({
  pod: v.optional(described(v.partial(ManifestTable.entries.pod), 'Who the Pod is.')),
  provider: v.optional(described(v.partial(ProviderTable), 'Its model.')),
  worker: ManifestTable.entries.worker,
  scope: v.optional(
    described(
      v.strictObject({
        allow: v.optional(described(v.array(Rule), 'What it may reach. Layers add to it.')),
        deny: v.optional(described(v.array(Rule), 'What it may not, whatever is allowed.')),
      }),
      'Which files it may reach, podd’s working directory among them.',
    ),
  ),
  compaction: v.optional(
    described(
      v.strictObject({
        ...COMPACTION,
        provider: v.optional(
          described(
            v.partial(ProviderTable),
            'Another model for the compactor. Default: the Pod’s own.',
          ),
        ),
      }),
      COMPACTION_SAYS,
    ),
  ),
});

/** Keys that the manifest's format has and this version does not: they are refused, never ignored. `*` is any name. */
export const LATER_KEYS: readonly string[] = [
  'pod.auto_resume',
  'provider.preset',
  'provider.api',
  'permissions.default',
  'permissions.ask_timeout_ms',
  'permissions.ask_default',
  'permissions.ask_when_alone',
  'permissions.rules',
  'hooks',
  'sandbox.shell',
  'sandbox.network',
  'sandbox.read',
  'sandbox.env',
  'budget.max_tokens',
  'budget.max_cost_usd',
  'budget.max_turns',
  'budget.max_wall_ms',
  'prices.*',
  'family.max_children',
  'family.max_depth',
  'family.keep_on_stop',
  'storage.keep_sessions',
  'storage.max_bytes',
];
