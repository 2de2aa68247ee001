import { describe, expect, test } from 'vitest';
import { runtimeRoot, socketOf } from '../../../protocol/paths.ts';

describe('runtimeRoot', () => {
  test.each([
    { env: { PODD_RUNTIME_DIR: '/a/', XDG_RUNTIME_DIR: '/x' }, home: '/h', path: '/a' },
    { env: { XDG_RUNTIME_DIR: '/x' }, home: '/h', path: '/x/podd' },
    { env: { PODD_RUNTIME_DIR: '', XDG_RUNTIME_DIR: '' }, home: '/h', path: '/h/.podd/run' },
    { env: {}, home: '/h', path: '/h/.podd/run' },
  ])('PATH-1: $env with home $home is $path', ({ env, home, path }) => {
    expect(runtimeRoot(env, home)).toEqual({ kind: 'found', path });
  });

  test.each([
    { env: {}, home: '', says: 'PODD_RUNTIME_DIR' },
    { env: { PODD_RUNTIME_DIR: 'run' }, home: '/h', says: 'PODD_RUNTIME_DIR is "run"' },
    { env: { XDG_RUNTIME_DIR: './x' }, home: '/h', says: 'XDG_RUNTIME_DIR is "./x"' },
    { env: {}, home: 'h', says: 'HOME is "h"' },
  ])('PATH-1: $env with home "$home" is no place, and the answer says why', (given) => {
    const root = runtimeRoot(given.env, given.home);
    expect(root).toMatchObject({ kind: 'none' });
    expect(root.kind === 'none' && root.says).toContain(given.says);
  });
});

test('PROTO-1: the socket of a Pod is <runtime>/<pod>/sock', () => {
  expect(socketOf('/run/podd', 'coder')).toBe('/run/podd/coder/sock');
});
