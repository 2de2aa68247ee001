import { describe, expect, test } from 'vitest';
import { withoutKeys, withoutSecrets } from '../../../daemon/app/secrets.ts';

const KEYS = [
  'sk-SECRETabcdefgh2',
  'sk-ant-api03-SECRETabcdefgh',
  'key-SECRET12345678',
  'ghp_SECRETabcdefgh12345678',
  'github_pat_11SECRETabcdefgh',
  'xoxb-SECRET1234567890',
  'AIzaSySECRETabcdefghijklmnopq',
];

describe('withoutKeys', () => {
  test.each(KEYS)('START-3: %s is masked wherever it begins', (key) => {
    for (const before of ['', ' ', '\n', '\t', '"', '=', 'OPENAI_', 'headers:\t', '\\n'])
      expect(withoutKeys(`${before}${key} rest`).replace('\\n', '')).not.toContain('SECRET');
  });

  test('START-3: what comes after Bearer is masked, and what only looks like a key is not', () => {
    expect(withoutKeys('authorization: Bearer eyJhSECRET.x.y')).toBe('authorization: Bearer ***');
    const plain = 'task-force disk-usage foreign_key_constraint the key-value-store of Bearer';
    expect(withoutKeys(plain)).toBe(plain);
  });
});

describe('withoutSecrets', () => {
  test('START-3: an error is cleaned all through: message, stack, cause, own fields', () => {
    const cause = new TypeError(`inner\n${KEYS[0] ?? ''}`);
    const error = Object.assign(new Error(`provider says:\n${KEYS[0] ?? ''}`, { cause }), {
      headers: { authorization: 'Bearer SECRET', 'x-api-key': 'SECRET', accept: 'json' },
    });
    const clean = withoutSecrets({ err: error, list: [KEYS[6]], token: 'SECRET' });
    const text = JSON.stringify(clean);
    expect(text).not.toContain('SECRET');
    expect(clean).toMatchObject({
      err: { type: 'Error', message: 'provider says:\n***', headers: { accept: 'json' } },
    });
    expect(text).toContain('inner');
  });

  test('INV-12: a value that holds itself ends, and numbers stay numbers', () => {
    const ring: Record<string, unknown> = { n: 1, tokens: 5 };
    ring['self'] = ring;
    expect(withoutSecrets(ring)).toMatchObject({ n: 1, tokens: 5, self: { n: 1 } });
    expect(JSON.stringify(withoutSecrets(ring))).toContain('…');
  });
});
