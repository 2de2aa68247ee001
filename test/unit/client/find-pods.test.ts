import { describe, expect, test } from 'vitest';
import { findSocket } from '../../../client/find-pods.ts';
import { PodError } from '../../../client/pod-error.ts';

const AT = { env: { PODD_RUNTIME_DIR: '/run/p' }, home: '/h', cwd: '/work' };

function refusal(pod: string, at: Parameters<typeof findSocket>[1] = AT): string {
  try {
    return findSocket(pod, at);
  } catch (error) {
    if (error instanceof PodError) return `${error.code}: ${error.message}`;
    throw error;
  }
}

describe('findSocket', () => {
  test('PATH-1: a name is looked up in the runtime folder', () => {
    expect(findSocket('coder', AT)).toBe('/run/p/coder/sock');
  });

  test('PATH-1: what has a slash is a path, from the current folder on', () => {
    expect(findSocket('./run/sock', AT)).toBe('/work/run/sock');
    expect(findSocket('/x/sock', { ...AT, env: {} })).toBe('/x/sock');
  });

  test.each(['Coder', '..', '.hidden', '', 'a b'])('MAN-1: "%s" is no name of a Pod', (name) => {
    expect(refusal(name)).toMatch(/^no_place: ".*" is no Pod name/);
  });

  test('PATH-2: a socket path of 107 bytes is taken, one of 108 is refused with its length', () => {
    const room = 107 - Buffer.byteLength('/run/p//sock');
    const at = { ...AT, env: { PODD_RUNTIME_DIR: `/run/p/${'ü'.repeat((room - 3) / 2)}` } };
    expect(Buffer.byteLength(findSocket('ab', at))).toBe(107);
    expect(refusal('abc', at)).toMatch(/108 bytes.*107.*PODD_RUNTIME_DIR/);
  });

  test('PATH-1: without a place for sockets it says which variable to set', () => {
    expect(refusal('coder', { env: {}, home: '', cwd: '/' })).toContain('PODD_RUNTIME_DIR');
  });
});
