import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LIMITS } from '../../../daemon/core/limits.ts';
import {
  SUMMARY_SECTIONS,
  capDirectives,
  directivesOf,
  missingDirectives,
} from '../../../daemon/core/directives.ts';
import { anyText } from '../../support/any-text.ts';

const summaryWith = (body: string, heading = '## User Directives'): string =>
  `## Active Task\n\n- not this\n\n${heading}\n\n${body}\n\n## Current Work\n\n- nor this\n`;

/** Texts with much of what a summary is made of. */
const piece = fc.oneof(
  fc.constantFrom(...SUMMARY_SECTIONS.map((name) => `\n## ${name}\n`)),
  fc.constantFrom(
    '\n## User Directives\n',
    '\n**User Directives:**\n',
    '\nuser directives\n',
    '\n# Other\n',
  ),
  fc.constantFrom(
    '\n- ',
    '\n\n',
    '\n  - ',
    '\n> ',
    '\n1. ',
    '\n```\n',
    '\n---\n',
    '\n    ',
    '(none)',
  ),
  fc.constantFrom('\n[3 older directives left out]\n', '\n- [1 older directive left out]'),
  fc.constantFrom('never push', 'be brief.', '"always test"', 'x'.repeat(700), 'ü'.repeat(900)),
  anyText(6),
);
const anySummary = fc.array(piece, { maxLength: 40 }).map((all) => all.join(''));

describe('directivesOf', () => {
  test.each([
    '## User Directives',
    '#### user directives:',
    '**User Directives**',
    '**User Directives:**',
    '__User Directives__:',
    'User Directives',
    'USER DIRECTIVES:',
    '## 4. User Directives (verbatim)',
    '4. **User Directives** (verbatim):',
  ])('COMP-5: the section is found under %s', (heading) => {
    expect(directivesOf(summaryWith('- Never push.\n- Be brief.', heading))).toEqual([
      'Never push.',
      'Be brief.',
    ]);
  });

  test.each<[string, string, string[]]>([
    ['bullets and numbers', '- a\n* b\n1. c\n2) d', ['a', 'b', 'c', 'd']],
    ['lines that continue', '- a\n  b\n\n  c\n- d\ne', ['a\nb\nc', 'd\ne']],
    ['bullets below', '- a:\n  - b\n  - c\n- d', ['a:\n- b\n- c', 'd']],
    ['paragraphs', 'a\nb\n\nc\n- d', ['a\nb', 'c', 'd']],
    ['quotes', '- "a"\n- “b c”\n- ‘d’\n- `e`\n- «f»\n- „g“', ['a', 'b c', 'd', 'e', 'f', 'g']],
    [
      'quotes inside',
      '- "a" and "b"\n- "say "c" always"\n- \'don\'t\'',
      ['"a" and "b"', 'say "c" always', "don't"],
    ],
    ['block quotes', '> a\n> b\n\n- > c', ['a\nb', 'c']],
    ['fences', '- run:\n```\n# x\n- y\n```\n- z', ['run:\n```\n# x\n- y\n```', 'z']],
    ['rules', '- a\n\n---\n\n- b', ['a', 'b']],
    ['headings below', '### Style\n- a', ['### Style', 'a']],
    ['carriage returns', '- a\r\n- b\r', ['a', 'b']],
    ['none', '- None.', []],
    ['(none)', '*(none)*', []],
    ['nothing', '', []],
    ['an earlier cut', '[2 older directives left out]\na\n\nb', ['a', 'b']],
  ])('COMP-5: an entry a bullet or a paragraph: %s', (_, body, entries) => {
    expect(directivesOf(summaryWith(body))).toEqual(entries);
  });

  test('COMP-5: a summary without that section has none; other sections end it', () => {
    expect(directivesOf('## Active Task\n- a')).toEqual([]);
    expect(directivesOf('User Directives:\n- a\nCurrent Work:\n- b')).toEqual(['a']);
    expect(directivesOf('## User Directives\n- a\n## Anything\n- b')).toEqual(['a']);
    expect(directivesOf('## User Directives\n```\n- a\n## Current Work\n- b')).toEqual([
      '```\n- a',
    ]);
  });
});

describe('missingDirectives', () => {
  test('COMP-10: what is not in the section any more is missing, wherever else it is', () => {
    const after = summaryWith(
      '> Never  push\n> to "main".\n\nThe user said: be brief. It’s urgent',
    );
    const before = [
      'Never push to “main”.',
      'be brief',
      "It's urgent",
      'be',
      'not this',
      'rief',
      'Be brief',
    ];
    expect(missingDirectives(before, after)).toEqual(['not this', 'rief', 'Be brief']);
    expect(missingDirectives(['a'], 'no section: a')).toEqual(['a']);
    expect(missingDirectives([], '')).toEqual([]);
  });

  test('COMP-10: a summary holds what it was read from', () => {
    fc.assert(
      fc.property(anySummary, (summary) => {
        expect(missingDirectives(directivesOf(summary), summary)).toEqual([]);
      }),
    );
  });
});

describe('capDirectives', () => {
  test('COMP-11: over 4 KiB the oldest go and are counted, the rest stays byte for byte', () => {
    const long = (letter: string): string => letter.repeat(1500);
    const body = `- ${long('a')}\n- ${long('b')}\n  more\n\n- ${long('c')}\n- ${long('d')}`;
    expect(capDirectives(summaryWith(body))).toEqual({
      summary: summaryWith(`[2 older directives left out]\n- ${long('c')}\n- ${long('d')}`),
      dropped: 2,
    });
  });

  test('COMP-11: what an earlier cut left out is counted with it', () => {
    const body = `- [2 older directives left out]\n- ${'a'.repeat(4000)}\n- ${'b'.repeat(200)}`;
    const { summary, dropped } = capDirectives(summaryWith(body));
    expect(dropped).toBe(1);
    expect(summary).toBe(summaryWith(`[3 older directives left out]\n- ${'b'.repeat(200)}`));
  });

  test('COMP-11 INV-12: exactly 4 KiB stay, one that is longer alone does not', () => {
    const fits = summaryWith(`- ${'ü'.repeat(LIMITS.directiveBytes / 2)}`);
    expect(capDirectives(fits)).toEqual({ summary: fits, dropped: 0 });
    expect(capDirectives(summaryWith(`- ${'x'.repeat(LIMITS.directiveBytes + 1)}`))).toEqual({
      summary: summaryWith('[1 older directive left out]'),
      dropped: 1,
    });
  });

  test('COMP-11 INV-12: of any summary the newest are left within the limit, and a second cut changes nothing', () => {
    const big = fc.array(piece, { minLength: 10, maxLength: 60 });
    fc.assert(
      fc.property(
        big.map((all) => `## User Directives\n${all.join('')}`),
        (summary) => {
          const before = directivesOf(summary);
          const capped = capDirectives(summary);
          const after = directivesOf(capped.summary);
          expect(after).toEqual(before.slice(capped.dropped));
          const bytes = after.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
          expect(bytes).toBeLessThanOrEqual(LIMITS.directiveBytes);
          expect(capDirectives(capped.summary)).toEqual({ summary: capped.summary, dropped: 0 });
          if (capped.dropped === 0) expect(capped.summary).toBe(summary);
        },
      ),
    );
  });
});
