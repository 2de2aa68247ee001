import { describe, expect, test } from 'vitest';
import { NO_COMPACTION_SECTION, PRUNE_DEFAULTS } from '../../../daemon/core/compaction-settings.ts';
import {
  type LayerText,
  type Manifest,
  parseManifest,
} from '../../../daemon/manifest/parse-manifest.ts';
import { renderManifest } from '../../../daemon/manifest/render-manifest.ts';

const POD = `pod.name = "a"
provider = { kind = "scripted", script = "s.toml" }
scope.allow = [{ target = "/w", permission = "write" }]
`;
const layer = (text: string, name = 'm', untrusted: string | null = null): LayerText => ({
  source: `/${name}/podd.toml`,
  text,
  folder: `/${name}`,
  untrusted,
});

/** What the layers above the least manifest come to. */
function parse(...layers: readonly (LayerText | string)[]) {
  const above = layers.map((one) => (typeof one === 'string' ? layer(one) : one));
  return parseManifest([layer(POD), ...above], { file: '/m/podd.toml', home: '/home/u' });
}

function manifest(...layers: readonly (LayerText | string)[]): Manifest {
  const parsed = parse(...layers);
  if (!parsed.ok) throw new TypeError(parsed.error.map(({ says }) => says).join('; '));
  return parsed.value;
}

function problems(...layers: readonly (LayerText | string)[]): readonly string[] {
  const parsed = parse(...layers);
  return parsed.ok ? [] : parsed.error.map(({ says }) => says);
}

const WHOLE = `[compaction]
prune_protected_turns = 0
prune_protected_tokens = 1
prune_min_savings = 2
compact_threshold = 3
compact_request_threshold = 4
compact_retained_tokens = 0
compact_auto_read_budget = 0
compact_worker_max_input_tokens = 5
on_refusal = false
strategy = "prefix"
[compaction.provider]
kind = "anthropic"
model = "small"
api_key_file = "k"
max_retries = 0
`;

describe('the section compaction', () => {
  test('MAN-1: without it nothing is left out and no threshold holds; by being there it prunes', () => {
    expect(manifest().compaction).toEqual({ ...NO_COMPACTION_SECTION, provider: null });
    expect(manifest('[compaction]').compaction).toEqual({
      ...NO_COMPACTION_SECTION,
      prune: PRUNE_DEFAULTS,
      provider: null,
    });
    const some = manifest('compaction = { prune_min_savings = 9, compact_threshold = 7 }');
    expect(some.compaction).toMatchObject({
      prune: { ...PRUNE_DEFAULTS, minSavings: 9 },
      threshold: 7,
      requestThreshold: null,
    });
  });

  test('MAN-1 MAN-3: every key of it; the files of its provider lie beside the manifest', () => {
    expect(manifest(WHOLE).compaction).toEqual({
      prune: { protectedTurns: 0, protectedTokens: 1, minSavings: 2 },
      threshold: 3,
      requestThreshold: 4,
      retainedTokens: 0,
      autoReadBudget: 0,
      workerMaxInputTokens: 5,
      onRefusal: false,
      strategy: 'prefix',
      provider: {
        kind: 'anthropic',
        model: 'small',
        apiKeyFile: '/m/k',
        baseUrl: null,
        contextWindow: null,
        maxRetries: 0,
        connectMs: 10_000,
        firstEventMs: 60_000,
        idleMs: 120_000,
        thinkingBudget: null,
        reasoningEffort: null,
      },
    });
    const scripted = 'compaction.provider = { kind = "scripted", script = "~/s.toml" }';
    expect(manifest(scripted).compaction.provider).toMatchObject({ scriptPath: '/home/u/s.toml' });
  });

  test('MAN-2: layers merge it key by key, its provider too', () => {
    const { compaction } = manifest(
      WHOLE,
      layer(
        'compaction.compact_threshold = 2\ncompaction.provider = { model = "other", api_key_file = "k" }',
        'above',
      ),
    );
    expect(compaction).toMatchObject({
      prune: { minSavings: 2 },
      threshold: 2,
      strategy: 'prefix',
      provider: { kind: 'anthropic', model: 'other', apiKeyFile: '/above/k', maxRetries: 0 },
    });
  });

  test('MAN-1: a threshold after a run that lies above the one inside is allowed, and warned of', () => {
    const thresholds = (after: number, inside: number): string =>
      `compaction = { compact_threshold = ${after}, compact_request_threshold = ${inside}, compact_retained_tokens = 0 }`;
    expect(manifest(thresholds(5, 5)).warnings).toEqual([]);
    expect(manifest('compaction.compact_threshold = 8001').warnings).toEqual([]);
    expect(manifest('compaction.compact_threshold = 8000').warnings).toEqual([
      expect.stringContaining(
        'compaction.compact_retained_tokens is 8000, and a threshold is 8000',
      ) as string,
    ]);
    expect(manifest(thresholds(6, 5)).warnings).toEqual([
      expect.stringContaining(
        'compaction.compact_threshold is 6, above compaction.compact_request_threshold, 5',
      ) as string,
    ]);
  });

  test('MAN-1: a provider that the strategy does not ask is warned of', () => {
    const provider = 'provider = { kind = "scripted", script = "t.toml" }';
    expect(manifest(`compaction = { strategy = "prefix", ${provider} }`).warnings).toEqual([
      expect.stringContaining('compaction.provider is not asked') as string,
    ]);
    expect(manifest(`compaction = { ${provider} }`).warnings).toEqual([]);
  });

  test('MAN-4: what is printed is the same section again, and none where there was none', () => {
    for (const text of [
      '',
      '[compaction]',
      WHOLE,
      'compaction.provider = { kind = "scripted", script = "t.toml", context_window = 7 }',
    ]) {
      const first = manifest(text);
      const printed = renderManifest(first, first.scope);
      const again = parseManifest([layer(printed, 'elsewhere')], { file: 'f', home: '/' });
      expect(again.ok && again.value.compaction, text).toEqual(first.compaction);
    }
    expect(renderManifest(manifest(), { allow: [], deny: [] })).not.toContain('compaction');
    const printed = renderManifest(manifest('[compaction]\nstrategy = "prefix"'), {
      allow: [],
      deny: [],
    });
    expect(printed).toContain('\nstrategy = "prefix" # /m/podd.toml\n');
    expect(printed).toContain('\nprune_protected_turns = 3 # default\n');
  });

  test.each([
    ['[compaction]\nprune_protected_turns = -1', 'prune_protected_turns', 0],
    ['[compaction]\nprune_protected_tokens = 0', 'prune_protected_tokens', 1],
    ['[compaction]\nprune_min_savings = 0', 'prune_min_savings', 1],
    ['[compaction]\ncompact_threshold = 0', 'compact_threshold', 1],
    ['[compaction]\ncompact_request_threshold = 0', 'compact_request_threshold', 1],
    ['[compaction]\ncompact_retained_tokens = -1', 'compact_retained_tokens', 0],
    ['[compaction]\ncompact_auto_read_budget = -1', 'compact_auto_read_budget', 0],
    ['[compaction]\ncompact_worker_max_input_tokens = 0', 'compact_worker_max_input_tokens', 1],
  ])('MAN-6: %j is refused with its range', (text, key, least) => {
    const got = text.split('= ')[1] ?? '';
    expect(problems(text)).toEqual([
      `compaction.${key} expected a whole number from ${least} to 1000000000, got ${got}`,
    ]);
  });

  test.each([
    ['on_refusal = "no"', ['compaction.on_refusal expected true or false, got "no"']],
    [
      'strategy = "workers"',
      ['compaction.strategy expected "worker" or "prefix", got "workers"; did you mean "worker"?'],
    ],
    [
      'compact_treshold = 1',
      ['compaction.compact_treshold is not known; did you mean compact_threshold?'],
    ],
    ['provider = [1]', ['compaction.provider expected a table, got a list']],
    ['provider = {}', ['compaction.provider.kind is required, but missing']],
    [
      'provider = { kind = "anthropic" }',
      ['compaction.provider.model is required for the kind "anthropic": the id of the model'],
    ],
    [
      'provider = { kind = "scripted" }',
      ['compaction.provider.script is required for the kind "scripted": the file to play'],
    ],
    [
      'provider = { kind = "scripted", script = "~x/s" }',
      ['compaction.provider.script expected a path, got "~x/s": only ~/ stands for a home folder'],
    ],
    [
      'provider = { kind = "openai", model = "m", preset = "vllm", modle = "n" }',
      [
        'compaction.provider.preset is not supported by this version of podd yet',
        'compaction.provider.modle is not known; did you mean model?',
        'compaction.provider.kind "openai" is not supported by this version of podd yet; supported: "scripted", "anthropic"',
      ],
    ],
  ])('MAN-4 MAN-6: %s is refused with what was expected', (line, expected) => {
    expect(problems(`[compaction]\n${line}`)).toEqual(expected);
  });

  test('MAN-4: a section that is no table is told of as what it is', () => {
    expect(problems('[[compaction]]\ncompact_threshold = 1')).toEqual([
      'compaction expected a table, got a list',
    ]);
  });

  test('MAN-5: a project that nobody trusts sets its numbers, and of the rest is told key by key, once', () => {
    const numbers = WHOLE.split('on_refusal')[0] ?? '';
    expect(manifest(layer(numbers, 'p', '/p')).compaction.threshold).toBe(3);
    const rest =
      'on_refusal = false\nstrategy = "prefix"\nprovider = { kind = "openai", modle = 1 }';
    const said = problems(layer(`[compaction]\n${rest}`, 'p', '/p'));
    expect(said.map((one) => one.split(' is not for a project to set')[0])).toEqual([
      'compaction.on_refusal',
      'compaction.strategy',
      'compaction.provider',
    ]);
  });
});
