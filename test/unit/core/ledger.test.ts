import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ledgerText, type LedgerFacts } from '../../../daemon/core/ledger.ts';
import { LIMITS } from '../../../daemon/core/limits.ts';
import { anyText } from '../../support/any-text.ts';

const NOTHING: LedgerFacts = { firstRequest: null, files: [], decisions: [], children: [] };
const HASH = '0123456789abcdef'.repeat(4);
const files = (count: number, name: string, wrote: boolean): LedgerFacts['files'] =>
  Array.from({ length: count }, (_, n) => ({ path: `/${name}${n}`, hash: HASH, wrote }));
const listed = (text: string): string[] =>
  text.split('\n').filter((line) => line.startsWith('- /'));

describe('ledgerText', () => {
  test('COMP-11: says the first request, files with hashes, the newest first, decisions and children', () => {
    const text = ledgerText({
      firstRequest: 'Do this,\n\nand that.',
      files: [
        { path: '/old.ts', hash: HASH },
        { path: '/a b.ts', hash: HASH, wrote: true },
        { path: '/new.ts', hash: HASH, wrote: false },
        { path: '/c.ts', hash: HASH, wrote: true },
      ],
      decisions: ['Edit /etc/x?'],
      children: ['builder'],
    });
    expect(text).toBe(
      [
        'First request:\nDo this,\n\nand that.',
        'Files written:\n- /c.ts 0123456789ab\n- /a b.ts 0123456789ab',
        'Files read:\n- /new.ts 0123456789ab\n- /old.ts 0123456789ab',
        'Open decisions:\n- Edit /etc/x?',
        'Live children:\n- builder',
      ].join('\n\n'),
    );
    expect(ledgerText(NOTHING)).toBe('');
  });

  test('COMP-11 INV-12: 200 files: the oldest that were only read are merged, then the oldest written', () => {
    const some = ledgerText({
      ...NOTHING,
      files: [...files(150, 'w', true), ...files(60, 'r', false)],
    });
    expect(listed(some)).toHaveLength(LIMITS.ledgerFiles);
    expect(some).toContain('- /w0 0123456789ab\n\nFiles read:\n- /r59 ');
    expect(some).toMatch(/- \/r10 \w+\n\[10 older, not listed\]$/);
    const many = ledgerText({
      ...NOTHING,
      files: [...files(250, 'w', true), ...files(60, 'r', false)],
    });
    expect(listed(many)).toHaveLength(LIMITS.ledgerFiles);
    expect(many).toMatch(
      /- \/w50 \w+\n\[50 older, not listed\]\n\nFiles read:\n\[60 older, not listed\]$/,
    );
  });

  test('COMP-11: the first request is verbatim up to 4 KiB', () => {
    const fits = 'ü'.repeat(LIMITS.firstRequestBytes / 2);
    expect(ledgerText({ ...NOTHING, firstRequest: fits })).toBe(`First request:\n${fits}`);
    const text = ledgerText({ ...NOTHING, firstRequest: `${fits}x` });
    expect(text).toMatch(/ü\n\[cut: \d+ more bytes\]$/);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(LIMITS.firstRequestBytes + 15);
  });

  test('COMP-11 INV-12: never over 8 KiB, and what is not listed is counted', () => {
    const path = fc
      .tuple(anyText(20), fc.nat(300))
      .map(([text, count]) => text + 'p'.repeat(count));
    const file = fc.record({ path, hash: fc.constantFrom('', HASH), wrote: fc.boolean() });
    const note = fc
      .tuple(anyText(20), fc.nat(400))
      .map(([text, count]) => text + 'ü'.repeat(count));
    const facts = fc.record({
      firstRequest: fc.oneof(
        fc.constant(null),
        note.map((text) => text.repeat(20)),
      ),
      files: fc.array(file, { maxLength: 60 }),
      decisions: fc.array(note, { maxLength: 30 }),
      children: fc.array(note, { maxLength: 30 }),
    });
    fc.assert(
      fc.property(facts, (all) => {
        const text = ledgerText(all);
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(LIMITS.ledgerBytes);
        // What the user wrote may look like a section of ours.
        const own = ledgerText({ ...all, firstRequest: null });
        const from = (head: string): string =>
          new RegExp(`(?:^|\\n\\n)${head}:\\n((?:[^\\n]+(?:\\n(?!\\n)|$)?)*)`).exec(own)?.[1] ?? '';
        for (const [head, count] of [
          ['Files written', all.files.filter(({ wrote }) => wrote).length],
          ['Files read', all.files.filter(({ wrote }) => !wrote).length],
          ['Open decisions', all.decisions.length],
          ['Live children', all.children.length],
        ] as const) {
          const lines = from(head)
            .split('\n')
            .filter((line) => line !== '');
          const merged = Number(
            /^\[(\d+) (?:older|more), not listed\]$/.exec(lines.at(-1) ?? '')?.[1] ?? 0,
          );
          expect(lines.length - (merged > 0 ? 1 : 0) + merged, head).toBe(count);
        }
      }),
    );
  });

  test('COMP-11: a full ledger has its largest request and notes and still its newest files', () => {
    const text = ledgerText({
      firstRequest: 'r'.repeat(9999),
      files: files(500, 'file-with-a-name-', true),
      decisions: Array.from({ length: 99 }, () => 'd'.repeat(999)),
      children: Array.from({ length: 99 }, () => 'c'.repeat(999)),
    });
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(LIMITS.ledgerBytes);
    expect(Buffer.byteLength(text)).toBeGreaterThan(LIMITS.ledgerBytes - 400);
    expect(listed(text).length).toBeGreaterThan(10);
    expect(text).toContain('d…\n[94 more, not listed]\n\nLive children:');
  });
});
