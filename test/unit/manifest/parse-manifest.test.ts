import { describe, expect, test } from 'vitest';
import { NO_COMPACTION_SECTION } from '../../../daemon/core/compaction-settings.ts';
import {
  type LayerText,
  type Manifest,
  parseManifest,
} from '../../../daemon/manifest/parse-manifest.ts';

const PLACE = { file: '/m/podd.toml', home: '/home/u' };
const layer = (text: string): LayerText[] => [
  { source: '/m/podd.toml', text, folder: '/m', untrusted: null },
];

const POD = 'pod.name = "a"\n';
const PROVIDER = 'provider = { kind = "scripted", script = "s.toml" }\n';
const ALLOW = '[[scope.allow]]\ntarget = "/w"\npermission = "write"\n';

function problems(text: string): readonly string[] {
  const parsed = parseManifest(layer(text), PLACE);
  return parsed.ok ? [] : parsed.error.map(({ says }) => says);
}

function manifest(text: string): Manifest {
  const parsed = parseManifest(layer(text), PLACE);
  if (!parsed.ok) throw new TypeError(parsed.error.map(({ says }) => says).join('; '));
  return parsed.value;
}

const NAME = 'a name of 1 to 64 characters of a-z 0-9 . _ -, beginning with a-z or 0-9';
const LATER = 'is not supported by this version of podd yet';

describe('parseManifest', () => {
  test('MAN-1: the least that is a manifest, with its defaults', () => {
    expect(manifest(POD + PROVIDER + ALLOW)).toEqual({
      file: '/m/podd.toml',
      pod: { name: 'a' },
      provider: { kind: 'scripted', scriptPath: '/m/s.toml', contextWindow: null, maxRetries: 5 },
      maxTokens: null,
      sampling: { temperature: null, topP: null, stop: [] },
      notifications: 'history',
      maxTurns: null,
      toolOutput: { defaultBytesMax: 16 * 1024, perTool: new Map() },
      scope: { allow: [{ target: '/w', permission: 'write', recursive: true }], deny: [] },
      instruction: { reference: '$podd/default', source: null, ofProject: null },
      compaction: { ...NO_COMPACTION_SECTION, provider: null },
      warnings: [],
      origins: new Map(
        ['pod.name', 'provider.kind', 'provider.script', 'scope.allow[0]'].map((key) => [
          key,
          '/m/podd.toml',
        ]),
      ),
    });
  });

  test('MAN-1 PROV-9: a real provider, with its defaults; the key file lies beside the manifest', () => {
    const real = manifest(
      `${POD}provider = { kind = "anthropic", model = "m", api_key_file = "k" }\n${ALLOW}[worker]\nmax_tokens = 5\n`,
    );
    expect(real).toMatchObject({ maxTokens: 5 });
    expect(real.provider).toEqual({
      kind: 'anthropic',
      model: 'm',
      apiKeyFile: '/m/k',
      baseUrl: null,
      contextWindow: null,
      maxRetries: 5,
      connectMs: 10_000,
      firstEventMs: 60_000,
      idleMs: 120_000,
      thinkingBudget: null,
      reasoningEffort: null,
    });
  });

  test('MAN-1: every key that is in use', () => {
    const whole = manifest(`
      [pod]
      name = "my.pod_1-x"
      [provider]
      kind = "scripted"
      script = "/s/x.toml"
      context_window = 1000
      [worker]
      max_turns = 3
      [worker.tool_output]
      default_max_bytes = 100
      [worker.tool_output.per_tool]
      Read = 200
      [[scope.allow]]
      target = "src"
      permission = "read"
      recursive = false
      [[scope.deny]]
      target = "~/secret"
      permission = "read"
    `);
    expect(whole).toMatchObject({
      pod: { name: 'my.pod_1-x' },
      provider: { scriptPath: '/s/x.toml', contextWindow: 1000 },
      maxTurns: 3,
      toolOutput: { defaultBytesMax: 100, perTool: new Map([['Read', 200]]) },
      scope: {
        allow: [{ target: '/m/src', permission: 'read', recursive: false }],
        deny: [{ target: '/home/u/secret', permission: 'read', recursive: true }],
      },
    });
  });

  test.each([
    ['~', '/home/u'],
    ['~/a', '/home/u/a'],
    ['a/~', '/m/a/~'],
    ['./~a', '/m/./~a'],
    ['../b', '/m/../b'],
    ['/c', '/c'],
  ])('MAN-3: the path %j is %j', (written, absolute) => {
    const text = `${POD}${PROVIDER}[[scope.allow]]\ntarget = "${written}"\npermission = "read"`;
    expect(manifest(text).scope.allow[0]?.target).toBe(absolute);
  });

  test.each<[string, string, string[]]>([
    ['not TOML', 'pod = ', ['1:7 expected a value behind =']],
    [
      'a key twice',
      `${POD}pod.name = "b"`,
      ['2:1 this key or table is there already: each may stand once'],
    ],
    [
      'nothing at all',
      '',
      [
        'pod is required, but missing',
        'provider is required, but missing',
        'scope is required, but missing',
      ],
    ],
    ['no name', `pod = {}\n${PROVIDER}${ALLOW}`, ['pod.name is required, but missing']],
    [
      'a name with capitals',
      `pod.name = "Pod"\n${PROVIDER}${ALLOW}`,
      [`pod.name expected ${NAME}, got "Pod"`],
    ],
    [
      'a name of 65',
      `pod.name = "${'a'.repeat(65)}"\n${PROVIDER}${ALLOW}`,
      [`pod.name expected ${NAME}, got "${'a'.repeat(59)}…`],
    ],
    [
      'a name that begins with a dot',
      `pod.name = ".a"\n${PROVIDER}${ALLOW}`,
      [`pod.name expected ${NAME}, got ".a"`],
    ],
    [
      'a name that climbs',
      `pod.name = "a/../b"\n${PROVIDER}${ALLOW}`,
      [`pod.name expected ${NAME}, got "a/../b"`],
    ],
    [
      'a name that is a file of the registry',
      `pod.name = "scope.json"\n${PROVIDER}${ALLOW}`,
      ['pod.name expected a name that does not end in .json or .lock, got "scope.json"'],
    ],
    [
      'a name that is a number',
      `pod.name = 7\n${PROVIDER}${ALLOW}`,
      [`pod.name expected ${NAME}, got 7`],
    ],
    [
      'a name with a line behind it',
      `pod.name = "a\\n"\n${PROVIDER}${ALLOW}`,
      [`pod.name expected ${NAME}, got "a\\n"`],
    ],
    [
      'a misspelt section',
      `${POD}${PROVIDER}${ALLOW}[workers]\nmax_turns = 1`,
      ['workers is not known; did you mean worker?'],
    ],
    [
      'a misspelt key',
      `${POD}${PROVIDER}${ALLOW}[worker]\nmaxTurn = 1`,
      ['worker.maxTurn is not known; did you mean max_turns?'],
    ],
    [
      'a key near one of a later version',
      `${POD}${PROVIDER}${ALLOW}[worker]\ntemprature = 1`,
      ['worker.temprature is not known; did you mean temperature?'],
    ],
    [
      'a key near none',
      `${POD}${PROVIDER}${ALLOW}[pod.x]`,
      ['pod.x is not known; known here: name, auto_resume'],
    ],
    [
      'a key of a later version',
      `${POD}pod.auto_resume = true\n${PROVIDER}${ALLOW}`,
      [`pod.auto_resume ${LATER}`],
    ],
    [
      'keys of a later section, one misspelt',
      `${POD}${PROVIDER}${ALLOW}[sandbox]\nnetwork = true\nnetwrok = 1`,
      [`sandbox.network ${LATER}`, 'sandbox.netwrok is not known; did you mean network?'],
    ],
    [
      'a section of names',
      `${POD}${PROVIDER}${ALLOW}[prices."gpt-x"]\ninput = 1`,
      [`prices.gpt-x ${LATER}`],
    ],
    [
      'a list of a later version',
      `${POD}${PROVIDER}${ALLOW}[[hooks]]\non = "on_abort"`,
      [`hooks ${LATER}`],
    ],
    [
      'an empty section of a later version',
      `${POD}${PROVIDER}${ALLOW}[sandbox]`,
      [`sandbox ${LATER}`],
    ],
    [
      'a key that every object has',
      `${POD}${PROVIDER}${ALLOW}[constructor]\nx = 1`,
      [
        'constructor is not known; known here: pod, provider, worker, scope, compaction, permissions, hooks, sandbox, budget, prices, family, storage',
      ],
    ],
    [
      'a provider of a later version',
      `${POD}provider = { kind = "openai", model = "m", preset = "vllm" }\n${ALLOW}`,
      [
        `provider.preset ${LATER}`,
        `provider.kind "openai" ${LATER}; supported: "scripted", "anthropic"`,
      ],
    ],
    [
      'a provider that is none',
      `${POD}provider = { kind = "script", script = "s" }\n${ALLOW}`,
      [
        'provider.kind expected "scripted" or "anthropic" or "openai" or "gemini" or "ollama", got "script"; did you mean "scripted"?',
      ],
    ],
    [
      'no script',
      `${POD}provider.kind = "scripted"\n${ALLOW}`,
      ['provider.script is required for the kind "scripted": the file to play'],
    ],
    [
      'an empty script path',
      `${POD}provider = { kind = "scripted", script = "" }\n${ALLOW}`,
      ['provider.script expected a path, got ""'],
    ],
    [
      'no turns',
      `${POD}${PROVIDER}${ALLOW}[worker]\nmax_turns = 0`,
      ['worker.max_turns expected a whole number from 1 to 1000000000, got 0'],
    ],
    [
      'half a turn',
      `${POD}${PROVIDER}${ALLOW}[worker]\nmax_turns = 1.5`,
      ['worker.max_turns expected a whole number from 1 to 1000000000, got 1.5'],
    ],
    [
      'a cap that is text',
      `${POD}${PROVIDER}${ALLOW}[worker.tool_output.per_tool]\nRead = "1"`,
      ['worker.tool_output.per_tool.Read expected a whole number from 1 to 1000000000, got "1"'],
    ],
    [
      'a list where a table belongs',
      `worker = []\n${POD}${PROVIDER}${ALLOW}`,
      ['worker expected a table, got a list'],
    ],
    [
      'lists where required tables belong',
      'pod = []\nprovider = []\nscope = []',
      ['pod', 'provider', 'scope'].map((key) => `${key} expected a table, got a list`),
    ],
    [
      'a list of tables where one belongs, whatever is in it',
      `${PROVIDER}${ALLOW}[[pod]]\nname = "a"\n[worker]\ntool_output = [1]\nmax_turn = 1`,
      [
        'worker.max_turn is not known; did you mean max_turns?',
        'pod expected a table, got a list',
        'worker.tool_output expected a table, got a list',
      ],
    ],
    [
      'a list or a date where a rule belongs',
      `${POD}${PROVIDER}[scope]\nallow = [["."], { target = "." }, 2026-01-01]`,
      [
        'scope.allow[1].permission is required, but missing',
        'scope.allow[0] expected a table, got a list',
        'scope.allow[2] expected a table, got a date',
      ],
    ],
    [
      'no allow rule',
      `${POD}${PROVIDER}[scope]\nallow = []`,
      ['scope.allow expected at least one [[scope.allow]], got 0'],
    ],
    [
      'an allow rule that is a table',
      `${POD}${PROVIDER}[scope.allow]\ntarget = "/w"`,
      ['scope.allow expected a list, got a table'],
    ],
    [
      'a rule without permission',
      `${POD}${PROVIDER}[[scope.allow]]\ntarget = "/w"`,
      ['scope.allow[0].permission is required, but missing'],
    ],
    [
      'a permission that is none',
      `${POD}${PROVIDER}[[scope.allow]]\ntarget = "/w"\npermission = "all"`,
      ['scope.allow[0].permission expected "read" or "write", got "all"'],
    ],
    [
      'a home of somebody else',
      `${POD}${PROVIDER}[[scope.allow]]\ntarget = "~root/x"\npermission = "read"`,
      ['scope.allow[0].target expected a path, got "~root/x": only ~/ stands for a home folder'],
    ],
    [
      'several at once',
      `pod.name = ""\nprovider = { kind = "scripted", scrpt = "s" }\n${ALLOW}[[scope.deny]]\ntarget = 1`,
      [
        `pod.name expected ${NAME}, got ""`,
        'provider.scrpt is not known; did you mean script?',
        'scope.deny[0].target expected a path, got 1',
        'scope.deny[0].permission is required, but missing',
        'provider.script is required for the kind "scripted": the file to play',
      ],
    ],
  ])('MAN-4 MAN-6: %s is refused with what was expected', (_, text, expected) => {
    expect(problems(text)).toEqual(expected);
  });
});
