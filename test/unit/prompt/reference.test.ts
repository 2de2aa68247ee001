import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseReference, splitAsset } from '../../../daemon/prompt/reference.ts';

const FROM = '$workspace/parts/a';
const parse = (text: string, from: string | null = null): string => {
  const parsed = parseReference(text, from);
  return parsed.ok ? parsed.value : `! ${parsed.error}`;
};

describe('parseReference', () => {
  test.each([
    ['$podd/default', '$podd/default'],
    ['$podd/default.md', '$podd/default'],
    ['$user/a/b.md', '$user/a/b'],
    ['$workspace/a.b', '$workspace/a.b'],
  ])('PROMPT-1: %s names %s, wherever it stands', (text, name) => {
    expect(parse(text)).toBe(name);
    expect(parse(text, FROM)).toBe(name);
  });

  test('PROMPT-1: without a library it is relative to the folder of who includes it', () => {
    expect(parse('b', FROM)).toBe('$workspace/parts/b');
    expect(parse('./b.md', FROM)).toBe('$workspace/parts/b');
    expect(parse('deep/b', '$user/top')).toBe('$user/deep/b');
    expect(parse('b')).toBe('! has to begin with $podd/, $user/, $workspace/');
  });

  test.each([
    ['', 'is empty'],
    ['/etc/passwd', 'is an absolute path'],
    ['../b', 'has .. in it'],
    ['$user/../b', 'has .. in it'],
    ['$user/..', 'has .. in it'],
    ['$user/...md', 'has .. in it'],
    ['$user/a/./b', 'has a . between slashes'],
    ['$user//b', 'has an empty name'],
    ['$user/', 'names no prompt'],
    ['$user', 'names no prompt'],
    ['$user/.md', 'only an ending'],
    ['$usr/a', 'is not one of $podd, $user, $workspace; did you mean $user?'],
    ['$toString/a', 'names no library'],
    ['a\\b', 'has a character in it'],
    ['a\0b', 'has a character in it'],
    [`$user/${'a'.repeat(253)}`, 'more than 255 bytes'],
  ])('PROMPT-1: %j is refused by a reason of its own', (text, says) => {
    expect(parse(text, FROM)).toContain(`! `);
    expect(parse(text, FROM)).toContain(says);
  });

  test('PROMPT-1: no reference leads out of a library, and a name names itself', () => {
    const piece = fc.constantFrom(
      '..',
      '.',
      '',
      '/',
      '$user',
      '$podd',
      'a',
      'b.md',
      '.md',
      '\\',
      '~',
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(piece, { maxLength: 8 }).map((all) => all.join('/')),
    );
    fc.assert(
      fc.property(text, fc.constantFrom(null, FROM, '$user/x'), (reference, from) => {
        const parsed = parseReference(reference, from);
        if (!parsed.ok) return;
        const { path } = splitAsset(parsed.value);
        const parts = path.split('/');
        expect(parts.every((part) => part !== '' && part !== '.' && part !== '..')).toBe(true);
        expect(path).not.toContain('\0');
        expect(parse(`${parsed.value}.md`)).toBe(parsed.value);
      }),
    );
  });
});
