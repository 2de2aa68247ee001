import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nearest } from '../../../daemon/core/nearest.ts';

const KEYS = ['max_turns', 'file_path', 'permission', 'recursive', 'kind'];

describe('nearest', () => {
  test.each([
    ['max_turn', 'max_turns'],
    ['maxTurns', 'max_turns'],
    ['max-turns', 'max_turns'],
    ['MAX_TURNS', 'max_turns'],
    ['filepath', 'file_path'],
    ['fiel_path', 'file_path'],
    ['permision', 'permission'],
    ['knid', 'kind'],
    ['banana', undefined],
    ['x', undefined],
    ['', undefined],
    ['m'.repeat(65), undefined],
  ])('MAN-4: %j is taken for %j', (typed, meant) => {
    expect(nearest(typed, KEYS)).toBe(meant);
  });

  test('MAN-4: of two names as near the first wins', () => {
    expect(nearest('bar', ['baz', 'bat'])).toBe('baz');
  });

  test('MAN-4: a known name with one letter gone is found again', () => {
    fc.assert(
      fc.property(fc.constantFrom(...KEYS.slice(0, 4)), fc.nat(7), (key, at) => {
        expect(nearest(key.slice(0, at) + key.slice(at + 1), KEYS)).toBe(key);
      }),
    );
  });
});
