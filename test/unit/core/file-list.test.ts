import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parsePrefixAnswer } from '../../../daemon/core/file-list.ts';
import { anyText } from '../../support/any-text.ts';

describe('parsePrefixAnswer', () => {
  test('COMP-16: the lines behind the summary are files to read and to refer to', () => {
    const answer = [
      '## Current Work',
      '',
      'READ the docs: done.',
      '',
      'READ: /a/b.ts',
      'READ: /a/b.ts:11-20',
      'READ: /a/c d:e.ts:5-',
      'REFERENCE: /x y/z:1-2\r',
      '',
    ].join('\n');
    expect(parsePrefixAnswer(answer)).toEqual({
      summary: '## Current Work\n\nREAD the docs: done.',
      reads: [
        { path: '/a/b.ts' },
        { path: '/a/b.ts', offset: 10, limit: 10 },
        { path: '/a/c d:e.ts', offset: 4 },
      ],
      references: ['/x y/z:1-2'],
    });
  });

  test.each([
    ['as items of a list', '- READ: /a\n* REFERENCE: `/b`', ['/a'], ['/b']],
    ['twice', 'READ: /a\nREAD: /a:1-\nREAD: /a\nREFERENCE: /b\nREFERENCE: /b', ['/a'], ['/b']],
    ['relative', 'READ: a.ts\nREAD: ./b\nREFERENCE: ~/c\nREAD:', [], []],
    [
      'with what is no range',
      'READ: /a:0-3\nREAD: /a:5-2\nREAD: /a:7',
      ['/a:0-3', '/a:5-2', '/a:7'],
      [],
    ],
  ])('COMP-16: paths %s', (_, text, reads, references) => {
    const parsed = parsePrefixAnswer(`Summary.\n${text}`);
    expect(parsed.reads.map(({ path }) => path)).toEqual(reads);
    expect(parsed.references).toEqual(references);
    expect(parsed.summary).toBe('Summary.');
  });

  test('COMP-16: what was written in the form comes out of it, the summary as it was', () => {
    const summary = anyText(40).map((text) => text.replaceAll(/READ|REFERENCE/g, '').trim());
    const path = anyText(20).map((text) => `/${text.replaceAll(/\n/g, '')}x`);
    const read = fc.oneof(
      path.map((one) => ({ path: one })),
      fc.record({ path, offset: fc.nat(999) }),
      fc.record({ path, offset: fc.nat(999), limit: fc.integer({ min: 1, max: 999 }) }),
    );
    const suffix = (range: { path: string; offset?: number; limit?: number }): string =>
      range.offset === undefined
        ? ''
        : `:${range.offset + 1}-${range.limit === undefined ? '' : range.offset + range.limit}`;
    const selector = (range: { path: string; offset?: number; limit?: number }): string =>
      JSON.stringify([range.path, range.offset ?? 0, range.limit]);
    fc.assert(
      fc.property(
        summary,
        fc.uniqueArray(read, { selector, maxLength: 5 }),
        fc.uniqueArray(path, { maxLength: 5 }),
        (said, reads, references) => {
          const lines = [
            ...reads.map((range) => `READ: ${range.path}${suffix(range)}`),
            ...references.map((one) => `REFERENCE: ${one}`),
          ];
          const parsed = parsePrefixAnswer([said, '', ...lines].join('\n'));
          expect(parsed).toEqual({ summary: said, reads, references });
        },
      ),
    );
  });

  test('COMP-16: any text gives absolute paths and ranges that are ranges', () => {
    const pieces = fc.constantFrom(
      'READ: ',
      'REFERENCE:',
      '/a',
      ':1-',
      ':',
      '0-',
      '\n',
      '`',
      ' ',
      '9'.repeat(12),
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(pieces, anyText(4)), { maxLength: 20 }), (all) => {
        const { reads, references } = parsePrefixAnswer(all.join(''));
        for (const one of [...reads.map(({ path }) => path), ...references])
          expect(one.startsWith('/')).toBe(true);
        for (const { offset = 0, limit = 1 } of reads) {
          expect(offset).toBeGreaterThanOrEqual(0);
          expect(limit).toBeGreaterThan(0);
        }
      }),
    );
  });
});
