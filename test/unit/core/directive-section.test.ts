import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { leftOutLine, readDirectives } from '../../../daemon/core/directive-section.ts';
import { anyText } from '../../support/any-text.ts';

describe('readDirectives', () => {
  test('COMP-5: parts have their places in the summary, in whole lines', () => {
    const summary = [
      '# Active Task',
      '## User Directives',
      `- ${leftOutLine(1)}`,
      '- "a"',
      '  b',
      '',
      '- c',
      '## Current Work',
      '**User Directives**',
      'd',
    ].join('\n');
    const { parts, text } = readDirectives(summary);
    expect(
      parts.map(({ start, end, ...part }) => ({ ...part, lines: summary.slice(start, end) })),
    ).toEqual([
      { section: 0, leftOut: 1, text: '', lines: '- [1 older directive left out]\n' },
      { section: 0, leftOut: null, text: '"a"\nb', lines: '- "a"\n  b\n' },
      { section: 0, leftOut: null, text: 'c', lines: '- c\n' },
      { section: 1, leftOut: null, text: 'd', lines: 'd' },
    ]);
    expect(text).toBe('- [1 older directive left out]\n- "a"\n  b\n\n- c\nd');
  });

  test('COMP-5 INV-12: of any text the parts are in order, apart, and nothing twice', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '\nUser Directives\n',
        '\n## Key Decisions\n',
        '\n- ',
        '\n\n',
        '\n```\n',
        '\n> ',
      ),
      anyText(6),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (all) => {
        const summary = all.join('');
        let at = 0;
        for (const { start, end, text } of readDirectives(summary).parts) {
          expect(start).toBeGreaterThanOrEqual(at);
          expect(end).toBeGreaterThan(start);
          expect(text.length).toBeLessThanOrEqual(end - start);
          at = end;
        }
        expect(at).toBeLessThanOrEqual(summary.length);
      }),
    );
  });
});
