import { describe, expect, test } from 'vitest';
import { withoutKeys, withoutSecrets } from '../../../daemon/app/secrets.ts';
import { deadline } from '../../support/slowness.ts';

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
    expect(withoutKeys(String.raw`{"e":"\nBearer eyJhSECRET.x.y"}`)).not.toContain('SECRET');
  });

  test('INV-6: a text made to be slow takes no longer than another of its length', () => {
    const bytes = 200_000;
    for (const part of ['key-', 'pat_', 'sk-', 'AIza', 'Bearer ', 'gh', '\\n', ' ']) {
      const begun = performance.now();
      withoutKeys(part.repeat(bytes / part.length));
      expect(performance.now() - begun).toBeLessThan(deadline(1_000));
    }
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

  test.each([
    'authorization',
    'Authorization',
    'x-api-key',
    'api_key',
    'apiKey',
    'api-key',
    'token',
    'password',
  ])(
    'START-3: what is called %s is masked whole, and so is a key in the place of a name',
    (name) => {
      expect(withoutSecrets({ deep: [{ [name]: { a: 'plain' } }] })).toEqual({
        deep: [{ [name]: '***' }],
      });
      expect(withoutSecrets({ [KEYS[0] ?? '']: 1 })).toEqual({ '***': 1 });
    },
  );

  test('START-3: an error four causes deep still tells the first of them, and those it gathers', () => {
    const chain = (level: number): Error =>
      new Error(`level ${level}`, level === 0 ? {} : { cause: chain(level - 1) });
    expect(JSON.stringify(withoutSecrets({ err: chain(4) }))).toContain('"message":"level 0"');
    const all = new AggregateError([new Error(`inner\n${KEYS[0] ?? ''}`)], 'all');
    expect(withoutSecrets(all)).toMatchObject({
      message: 'all',
      errors: [{ message: 'inner\n***' }],
    });
  });

  test('START-3: what tells itself as text stays that text', () => {
    const value = { at: new Date(0), url: new URL(`http://x/?k=${KEYS[0] ?? ''}`) };
    expect(withoutSecrets(value)).toEqual({
      at: '1970-01-01T00:00:00.000Z',
      url: 'http://x/?k=***',
    });
  });
});
