import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { read, ROOT, sources, testTitles, type SourceFile } from './support/source-tree.ts';

/** A habit that no tool forbids: where, what, and what to write instead. */
type Rule = {
  readonly in: (path: string) => boolean;
  readonly pattern: RegExp;
  readonly instead: string;
};

const product = (path: string): boolean => /^(daemon|client|protocol)\//.test(path);
const tests = (path: string): boolean => path.startsWith('test/');
const isMain = (path: string): boolean =>
  /^((daemon\/app|client\/podctl)\/main|client\/client)\.ts$/.test(path);
const daemon = (path: string): boolean => /^(daemon|protocol)\//.test(path);
const core = (path: string): boolean => path.startsWith('daemon/core/');

const RULES: readonly Rule[] = [
  {
    in: (path) => product(path) && !isMain(path),
    pattern: /process\.exit\b(?!Code)/,
    instead: 'return an exit code to main.ts',
  },
  {
    in: (path) => product(path) && !isMain(path),
    pattern: /process\.env\b/,
    instead: 'take what you need of the environment as a parameter',
  },
  { in: daemon, pattern: /\bconsole\./, instead: 'use the log port' },
  {
    in: core,
    pattern:
      /Date\.now|new Date\(\)|Math\.random|setTimeout|setInterval|randomUUID|performance\.now/,
    instead: 'core is pure: take time and chance as data',
  },
  {
    in: () => true,
    pattern: /AbortSignal\.any\b/,
    instead: 'use linkedController: on Node 20 the other leaks',
  },
  {
    in: () => true,
    pattern: /Promise\.withResolvers|Array\.fromAsync/,
    instead: 'Node 20 has none: use deferred, for await',
  },
  {
    in: (path) => !path.endsWith('.config.ts') && path !== 'test/support/build-once.ts',
    pattern: /^export default/m,
    instead: 'export by name',
  },
  { in: () => true, pattern: /^export \*/m, instead: 'import from where it is' },
  {
    in: daemon,
    pattern: /throw new (Error|TypeError|RangeError)\(/,
    instead: 'throw a Fault, or state an invariant',
  },
  { in: product, pattern: /\bas any\b|: any\b|<any>/, instead: 'use unknown and narrow it' },
  { in: product, pattern: /\b(TODO|FIXME|XXX|HACK)\b/, instead: 'do it, or file an issue' },
  {
    in: tests,
    pattern: /\b(test|it|describe)\.(only|skip|todo)\b/,
    instead: 'mend the test or delete it',
  },
  { in: tests, pattern: /\bvi\.mock\(/, instead: 'implement the port' },
];

/** Names that say nothing of what is inside. */
const EMPTY_NAMES = /^(utils?|helpers?|common|misc|manager|service|handler|base|impl|index)\.ts$/;

const ALL = sources('daemon', 'client', 'protocol', 'test');
const others = ALL.filter(({ path }) => path !== 'test/tidy.test.ts');

function hits(files: readonly SourceFile[], rule: Rule): string[] {
  return files
    .filter(({ path }) => rule.in(path))
    .flatMap(({ path, text }) =>
      text
        .split('\n')
        .flatMap((line, index) =>
          rule.pattern.test(line) && !/^\s*(\/\/|\/?\*)/.test(line)
            ? [`${path}:${index + 1}: ${line.trim()} — ${rule.instead}`]
            : [],
        ),
    );
}

describe('the tree', () => {
  test('keeps the habits that no other tool checks', () => {
    expect(others.length).toBeGreaterThan(100);
    expect(RULES.flatMap((rule) => hits(others, rule))).toEqual([]);
  });

  test('the check sees what it forbids', () => {
    const bad = (path: string, text: string): string[] =>
      RULES.flatMap((rule) => hits([{ path, text }], rule));
    expect(bad('daemon/core/x.ts', 'const now = Date.now();')).toHaveLength(1);
    expect(bad('daemon/rpc/x.ts', 'console.log(process.env)')).toHaveLength(2);
    expect(bad('test/unit/x.test.ts', 'test.only("x")')).toHaveLength(1);
    expect(bad('daemon/core/x.ts', '// Date.now() is the clock port')).toHaveLength(0);
  });

  test('has no file whose name says nothing', () => {
    expect(ALL.filter(({ path }) => EMPTY_NAMES.test(basename(path)))).toEqual([]);
  });

  test('has a unit test of the same name for every module of core that decides something', () => {
    // Tables, types and one-liners are covered by who uses them.
    const plain = ['result', 'assert', 'cancel', 'ids', 'entry', 'limits', 'compaction-settings'];
    const without = ALL.filter(({ path }) => core(path))
      .map(({ path }) => basename(path, '.ts'))
      .filter((name) => !plain.includes(name))
      .filter((name) => !existsSync(join(ROOT, `test/unit/core/${name}.test.ts`)))
      .filter((name) => !existsSync(join(ROOT, `test/unit/core/${name}.prop.test.ts`)));
    expect(without).toEqual([]);
  });

  test('LOOP-5: the loop imports ports and pure parts only, no socket, file or store', () => {
    const imports = sources('daemon/worker').flatMap(({ text }) =>
      [...text.matchAll(/from '([^']+)'/g)].map((match) => match[1] ?? ''),
    );
    expect(imports.length).toBeGreaterThan(30);
    const allowed = /^(\.\/|\.\.\/(core|ports|support)\/|\.\.\/\.\.\/protocol\/)/;
    expect(imports.filter((from) => !allowed.test(from))).toEqual([]);
  });

  test('has a lock that npm ci takes: every optional package is in it, also those of other platforms', () => {
    type Locked = { readonly optionalDependencies?: Record<string, string> };
    const { packages } = JSON.parse(read('package-lock.json')) as {
      packages: Record<string, Locked>;
    };
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) =>
          !(`node_modules/${name}` in packages || `${path}/node_modules/${name}` in packages),
      ),
    );
    expect(missing, 'run node scripts/complete-lock.js').toEqual([]);
  });

  test('tells facts in its test titles, in the present', () => {
    const titles = ALL.filter(
      ({ path }) => path.endsWith('.test.ts') || path.endsWith('.contract.ts'),
    ).flatMap(({ path, text }) => testTitles(text).map((title) => `${path}: ${title}`));
    expect(titles.length).toBeGreaterThan(200);
    expect(titles.filter((title) => /\b(should|works|correctly|properly)\b/.test(title))).toEqual(
      [],
    );
  });
});
