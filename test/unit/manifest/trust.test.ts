import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { knownKeys } from '../../../daemon/core/schema-problems.ts';
import { LATER_KEYS, ManifestTable } from '../../../daemon/manifest/schema.ts';
import { refuseOutside, refuseUntrusted, UNTRUSTED_KEYS } from '../../../daemon/manifest/trust.ts';

const ROOT = '/home/u/my project';
const HINT = "podctl trust '/home/u/my project', or name the file with --manifest";

const KNOWN_KEYS = [
  ...['pod', 'provider', 'worker', 'scope', 'compaction'].flatMap((section) =>
    knownKeys(ManifestTable, [section]).map((key) => `${section}.${key}`),
  ),
  ...LATER_KEYS.map((key) => key.replace('*', 'some-model')),
];

/** What an untrusted project may set, spelt out a second time: a key that slips in shows. */
const MAY_BE_SET = [
  ...['pod.name', 'scope.allow', 'scope.deny', 'permissions.rules'],
  ...['instruction', 'max_tokens', 'temperature', 'top_p', 'stop', 'max_turns'].map(
    (key) => `worker.${key}`,
  ),
  ...['worker.notifications', 'worker.tool_output'],
  ...['prune_protected_turns', 'prune_protected_tokens', 'prune_min_savings'].map(
    (key) => `compaction.${key}`,
  ),
  ...['threshold', 'request_threshold', 'retained_tokens', 'auto_read_budget'].map(
    (key) => `compaction.compact_${key}`,
  ),
  'compaction.compact_worker_max_input_tokens',
];

describe('refuseUntrusted', () => {
  test('MAN-5: the list of keys is the one that is meant', () => {
    expect([...UNTRUSTED_KEYS].sort()).toEqual(MAY_BE_SET.toSorted());
  });

  test.each(KNOWN_KEYS.filter((key) => !MAY_BE_SET.includes(key)))(
    'MAN-5: %s is refused, with what to do',
    (key) => {
      const [section = '', name] = key.split('.');
      const table = name === undefined ? { [section]: [{}] } : { [section]: { [name]: 1 } };
      const [says = '', ...others] = refuseUntrusted(table, ROOT);
      expect(others).toEqual([]);
      expect(says.startsWith(`${key} is not for a project to set`)).toBe(true);
      expect(says.endsWith(HINT)).toBe(true);
    },
  );

  test.each([
    ['worker.instruction', '$podd/coder', true],
    ['worker.instruction', '$workspace/x', true],
    ['worker.instruction', '$user/x', false],
    ['worker.instruction', '$poddx/x', false],
    ['worker.instruction', ['$podd/x'], false],
    ['permissions.rules', [{ action: 'ask' }, { action: 'deny' }], true],
    ['permissions.rules', [{ action: 'deny' }, { action: 'allow' }], false],
    ['permissions.rules', [{}], false],
    ['permissions.rules', { action: 'deny' }, false],
    ['compaction.compact_threshold', 5, true],
    ['compaction.compact_threshold', '5', false],
    ['compaction.on_refusal', false, false],
    ['compaction.strategy', 'prefix', false],
  ])('MAN-5: %s = %j, allowed: %s', (key, value, isAllowed) => {
    const [section = '', name = ''] = key.split('.');
    expect(refuseUntrusted({ [section]: { [name]: value } }, ROOT).length).toBe(isAllowed ? 0 : 1);
  });

  test('MAN-5: what is accepted has no known key but those of the list', () => {
    const key = fc.constantFrom(...KNOWN_KEYS.filter((one) => one.includes('.')));
    const entries = fc.array(fc.tuple(key, fc.constantFrom(1, '$podd/x', [], {})), {
      maxLength: 6,
    });
    fc.assert(
      fc.property(entries, (all) => {
        const table: Record<string, Record<string, unknown>> = {};
        for (const [path, value] of all) {
          const [section = '', name = ''] = path.split('.');
          table[section] = { ...table[section], [name]: value };
        }
        if (refuseUntrusted(table, ROOT).length > 0) return;
        expect(MAY_BE_SET).toEqual(expect.arrayContaining(all.map(([path]) => path)));
      }),
    );
  });
});

describe('refuseOutside', () => {
  const rule = (target: string) => ({ target, permission: 'write', recursive: true }) as const;
  test.each([
    [ROOT, true],
    [`${ROOT}/src`, true],
    [`${ROOT}/.poddx`, true],
    [`${ROOT}x`, false],
    ['/home/u', false],
    ['/', false],
    [`${ROOT}/.podd`, false],
    [`${ROOT}/.podd/prompts`, false],
  ])('MAN-5: a scope on %s, allowed: %s', (target, isAllowed) => {
    expect(refuseOutside([rule(target)], ROOT).length).toBe(isAllowed ? 0 : 1);
  });
});
