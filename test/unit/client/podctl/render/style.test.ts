import { describe, expect, test } from 'vitest';
import { oneLine, showName, styleFor } from '../../../../../client/podctl/render/style.ts';
import { FakeShell } from '../../../../support/fake-shell.ts';

describe('styleFor', () => {
  test.each([
    { terminal: true, env: {}, colour: true },
    { terminal: true, env: { NO_COLOR: '' }, colour: true },
    { terminal: true, env: { NO_COLOR: '0' }, colour: false },
    { terminal: true, env: { TERM: 'dumb' }, colour: false },
    { terminal: false, env: {}, colour: false },
  ])('CLI-2: terminal $terminal with $env has colour: $colour', ({ terminal, env, colour }) => {
    const { red } = styleFor(new FakeShell({ terminal }).shell.out, env);
    expect(red('x')).toBe(colour ? '\u001b[31mx\u001b[39m' : 'x');
  });
});

describe('oneLine', () => {
  test('INV-12: what is cut says so, and no character is cut in half', () => {
    expect(oneLine('a\n b\t\tc', 10)).toBe('a b c');
    expect(oneLine('abcdef', 4)).toBe('abc…');
    expect(oneLine('ab😀cd', 4)).toBe('ab…');
  });
});

describe('showName', () => {
  test('CLI-2: a name stays one line, and its control characters are seen', () => {
    expect(showName('/a  b/ü😀')).toBe('/a  b/ü😀');
    expect(showName('a\nb\r\tc\u001b[2J\u009b\u007f\0')).toBe(
      'a\\nb\\r\\tc\\x1b[2J\\x9b\\x7f\\x00',
    );
  });

  test('CLI-2: what turns the text around it, or has no width, is seen', () => {
    expect(showName('a\u202eb\u200bc\ufeff\u2066\u00ad')).toBe(
      'a\\u{202e}b\\u{200b}c\\u{feff}\\u{2066}\\xad',
    );
    expect(showName('\u{e0041}')).toBe('\\u{e0041}');
  });
});
