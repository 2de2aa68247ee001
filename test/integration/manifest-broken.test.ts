import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeUtf8 } from '../../daemon/core/utf8.ts';
import { loadManifest, type ManifestSources } from '../../daemon/manifest/load-manifest.ts';
import { outcomeOf } from '../contract/model.contract.ts';
import { tempFolder } from '../support/temp-folder.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const FOLDER = join(ROOT, 'test/fixtures/manifests/broken');
const EXPECTED = JSON.parse(readFileSync(join(FOLDER, 'expected.json'), 'utf8')) as Record<
  string,
  string
>;
/** Their key and its value are right; the prompt that they name is looked for by whoever reads prompts. */
const OF_PROMPTS = /^worker-instruction-(?!number$)/;

const sources = (file: string, overlay?: string): ManifestSources => ({
  pod: { kind: 'file', file },
  user: null,
  overlays: overlay === undefined ? [] : [{ source: '--overlay', text: overlay }],
  cwd: () => '/cwd',
  home: '/home/u',
});

/** What a fault says, without the file's name in front. */
async function problemOf(file: string): Promise<string> {
  const fault = await outcomeOf(() => loadManifest(sources(file)));
  expect(fault).toMatchObject({ code: 'manifest_invalid' });
  return (fault as Error).message.replace(`manifest ${file}`, '').replace(/^:? /, '');
}

describe('loadManifest', () => {
  const broken = Object.entries(EXPECTED).filter(([name]) => !OF_PROMPTS.test(name));

  test.each(broken)('MAN-4 MAN-6: the broken manifest %s is told', async (name, says) => {
    expect(await problemOf(join(FOLDER, `${name}.toml`))).toBe(says);
  });

  test('MAN-4: what is no TOML in an overlay is told of the overlay', async () => {
    const file = join(ROOT, 'manifests/quickstart.toml');
    const noToml = broken.filter(([, says]) => /^\d+:\d+ /.test(says));
    expect(noToml.length).toBeGreaterThan(30);
    for (const [name, says] of noToml) {
      const text = decodeUtf8(readFileSync(join(FOLDER, `${name}.toml`))) ?? '';
      const fault = await outcomeOf(() => loadManifest(sources(file, text)));
      expect(fault).toMatchObject({ message: `--overlay: ${says}` });
    }
  });

  test('INV-12 MAN-4: a manifest of ten million bytes is refused for its size, whatever is in it', async () => {
    await using folder = await tempFolder();
    const file = join(folder.path, 'large.toml');
    await writeFile(file, '[['.repeat(5_000_000));
    expect(await problemOf(file)).toBe('has more than 1048576 bytes');
  });

  test('MAN-4 INV-12: whatever is done to a manifest, podd takes it or tells where it is broken', async () => {
    await using folder = await tempFolder();
    const file = join(folder.path, 'changed.toml');
    const whole = readFileSync(join(ROOT, 'manifests/quickstart.toml'), 'utf8');
    const piece = fc.oneof(
      fc.constantFrom('[', ']', '[[', '"', "'", '"""', '=', '.', ',', '{', '}', '#', '\n', '\r'),
      fc.constantFrom('\\', '\0', '\ufeff', '1', '-', 'nan', '1e999', '__proto__', 'x = 1\n'),
      fc.string({ unit: 'binary', maxLength: 4 }),
    );
    const change = fc.record({ at: fc.nat(whole.length), cut: fc.nat(6), piece });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        const text = changes.reduce(
          (now, { at, cut, piece: put }) => now.slice(0, at) + put + now.slice(at + cut),
          whole,
        );
        await writeFile(file, text);
        const told = await outcomeOf(() => loadManifest(sources(file)));
        if (!(told instanceof Error)) return;
        expect(told).toMatchObject({ code: 'manifest_invalid' });
        const [, line, column] = /: (\d+):(\d+) /.exec(told.message) ?? [];
        if (line === undefined) return;
        const at = text.split('\n')[Number(line) - 1];
        expect(at).toBeDefined();
        // What is missing at the end of a line is missed behind it.
        expect(Number(column)).toBeLessThanOrEqual((at ?? '').length + 2);
      }),
      { numRuns: 400 },
    );
  });
});
