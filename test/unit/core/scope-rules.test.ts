import { describe, expect, test } from 'vitest';
import {
  isWithin,
  permissionOf,
  summarizeScope,
  withoutDelegated,
} from '../../../daemon/core/scope-rules.ts';
import type { ScopeRule, ScopeRules } from '../../../protocol/scope.ts';

const write = (target: string, recursive = true): ScopeRule => ({
  target,
  permission: 'write',
  recursive,
});
const read = (target: string, recursive = true): ScopeRule => ({
  target,
  permission: 'read',
  recursive,
});
const rules = (allow: ScopeRule[], deny: ScopeRule[] = []): ScopeRules => ({ allow, deny });
const nothing = rules([]);

describe('permissionOf', () => {
  test('SCOPE-1: a recursive rule covers its target and all below it', () => {
    const scope = rules([write('/w')]);
    for (const path of ['/w', '/w/', '/w/a', '/w/a/b/c'])
      expect(permissionOf(scope, path)).toBe('write');
    for (const path of ['/', '/x', '/wa']) expect(permissionOf(scope, path)).toBe('none');
  });

  test('SCOPE-1: a non-recursive rule covers its target and its direct children', () => {
    const scope = rules([read('/w', false)]);
    expect(permissionOf(scope, '/w')).toBe('read');
    expect(permissionOf(scope, '/w/a')).toBe('read');
    expect(permissionOf(scope, '/w/a/b')).toBe('none');
  });

  test('SCOPE-2: paths are compared by component, never by string prefix', () => {
    const scope = rules([write('/w/app')], [read('/w/app/key')]);
    expect(permissionOf(scope, '/w/app2')).toBe('none');
    expect(permissionOf(scope, '/w/app/keys')).toBe('write');
    expect(permissionOf(scope, '/w/app/key')).toBe('none');
    expect(permissionOf(scope, '/w/app/key/a')).toBe('none');
  });

  test('SCOPE-2: the highest allow wins, whatever the order and depth of the rules', () => {
    const scope = [write('/w'), read('/w/a')];
    expect(permissionOf(rules(scope), '/w/a/b')).toBe('write');
    expect(permissionOf(rules([...scope].reverse()), '/w/a/b')).toBe('write');
  });

  test('SCOPE-2: a deny caps strictly below itself, the lowest deny of all', () => {
    expect(permissionOf(rules([write('/w')], [write('/w/a')]), '/w/a/b')).toBe('read');
    expect(permissionOf(rules([write('/w')], [read('/w/a')]), '/w/a/b')).toBe('none');
    expect(permissionOf(rules([write('/w')], [read('/w'), write('/w/a')]), '/w/a')).toBe('none');
  });

  test('SCOPE-2: a deny above an allow caps it', () => {
    expect(permissionOf(rules([write('/w/a')], [read('/w')]), '/w/a')).toBe('none');
  });

  test('SCOPE-2: a deny of writing gives nothing where nothing is allowed', () => {
    expect(permissionOf(rules([read('/r')], [write('/')]), '/x')).toBe('none');
  });

  test('SCOPE-1: a rule on the root covers everything', () => {
    expect(permissionOf(rules([read('/')]), '/a/b')).toBe('read');
    expect(permissionOf(rules([read('/', false)]), '/a')).toBe('read');
    expect(permissionOf(rules([read('/', false)]), '/a/b')).toBe('none');
  });

  test('SCOPE-2: a path that is not canonical has no permission', () => {
    const scope = rules([write('/')]);
    for (const path of ['w/a', '', '.', '/w/../a', '/w/./a', '/..'])
      expect(permissionOf(scope, path)).toBe('none');
    expect(permissionOf(scope, '/w/..a')).toBe('write');
  });

  test('SCOPE-1: a rule whose target is not canonical is a bug, not an open door', () => {
    expect(() => permissionOf(rules([write('/')], [read('/w/../a')]), '/a')).toThrow(
      'not canonical',
    );
  });
});

describe('withoutDelegated', () => {
  test('SCOPE-2: what is delegated for writing falls to reading', () => {
    const effective = withoutDelegated(rules([write('/w')]), rules([write('/w/child')]));
    expect(permissionOf(effective, '/w/child/a')).toBe('read');
    expect(permissionOf(effective, '/w/a')).toBe('write');
  });

  test('SCOPE-2: what is delegated for reading stays as it is', () => {
    const effective = withoutDelegated(rules([write('/w')]), rules([read('/w/child')]));
    expect(permissionOf(effective, '/w/child/a')).toBe('write');
  });
});

describe('isWithin', () => {
  test.each([
    ['/state', '/state', true],
    ['/state/a', '/state', true],
    ['/stateful', '/state', false],
    ['/', '/state', false],
    ['/state', '/', true],
    ['state', '/', false],
  ])('SCOPE-18: %s within %s is %s', (path, folder, answer) => {
    expect(isWithin(path, folder)).toBe(answer);
  });
});

describe('summarizeScope', () => {
  test('SCOPE-4: writable and readable targets are listed, non-recursive ones marked', () => {
    const own = rules([write('/w'), read('/docs'), read('/notes', false), write('/out', false)]);
    expect(summarizeScope(own, nothing)).toEqual([
      'Writable:',
      '- /w',
      '- /out (not recursive: itself and its direct children only)',
      'Readable:',
      '- /docs',
      '- /notes (not recursive: itself and its direct children only)',
    ]);
  });

  test('SCOPE-4: a target is listed by what it effectively is', () => {
    const own = rules([write('/w'), write('/shut')], [write('/w'), read('/shut')]);
    expect(summarizeScope(own, nothing)).toEqual(['Readable:', '- /w']);
  });

  test('SCOPE-4: what is denied inside a listed target is said', () => {
    const own = rules(
      [write('/w')],
      [read('/w/keys'), write('/w/vendor', false), read('/elsewhere')],
    );
    expect(summarizeScope(own, nothing)).toEqual([
      'Writable:',
      '- /w',
      'Within these, read only:',
      '- /w/vendor (not recursive: itself and its direct children only)',
      'Within these, no access:',
      '- /w/keys',
    ]);
  });

  test('SCOPE-4: delegated targets are left out', () => {
    const own = rules([write('/w'), write('/w/child'), write('/other')]);
    expect(summarizeScope(own, rules([write('/w/child')]))).toEqual([
      'Writable:',
      '- /w',
      '- /other',
    ]);
  });

  test('SCOPE-4: a target with two rules is listed once, the recursive one', () => {
    expect(summarizeScope(rules([write('/w', false), write('/w')]), nothing)).toEqual([
      'Writable:',
      '- /w',
    ]);
  });
});
