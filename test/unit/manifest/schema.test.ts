import { expect, test } from 'vitest';
import { knownKeys } from '../../../daemon/core/schema-problems.ts';
import { parseManifest } from '../../../daemon/manifest/parse-manifest.ts';
import { LATER_KEYS, ManifestTable } from '../../../daemon/manifest/schema.ts';

test('MAN-1: no key is both in use and of a later version', () => {
  for (const later of LATER_KEYS) {
    const [section = '', key = ''] = later.split('.');
    expect(knownKeys(ManifestTable, [section])).not.toContain(key);
  }
});

test.each(LATER_KEYS)('MAN-1: %s is refused by name', (later) => {
  const key = later.replace('*', 'some-model');
  const text = `${key.replace('some-model', '"some-model"')} = 1\npod.name = "a"`;
  const layers = [{ source: 'f', text, folder: '/', untrusted: null }];
  const parsed = parseManifest(layers, { file: 'f', home: '/' });
  expect(parsed.ok ? [] : parsed.error).toContainEqual({
    source: 'f',
    says: `${key} is not supported by this version of podd yet`,
  });
});
