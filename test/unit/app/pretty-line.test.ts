import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { showControls, toPrettyLine } from '../../../daemon/app/pretty-line.ts';

const line = (fields: object): string =>
  `${JSON.stringify({ level: 30, time: 1_700_000_000_123, pid: 7, pod: 'p', ...fields })}\n`;
const plain = { colours: false };

describe('toPrettyLine', () => {
  test('START-3: time, level, message and fields stand in one line, without what every line has', () => {
    const text = toPrettyLine(
      line({ msg: 'a run ended', runId: 'r1', turns: 2, how: null }),
      plain,
    );
    expect(text).toMatch(/^\d\d:\d\d:\d\d\.123 INFO {2}a run ended runId="r1" turns=2 how=null$/);
  });

  test('START-3: of an error it shows the message; the stack is in the file', () => {
    const err = { type: 'Error', message: 'no space', stack: 'Error: no space\n    at x' };
    expect(toPrettyLine(line({ msg: 'm', err }), plain)).toMatch(/ m err="no space"$/);
  });

  test('START-3: colours are for who wants them', () => {
    expect(toPrettyLine(line({ level: 50, msg: 'm' }), { colours: true })).toContain(
      '\u001b[31mERROR\u001b[0m',
    );
    expect(toPrettyLine(line({ level: 50, msg: 'm' }), plain)).not.toContain('\u001b');
  });

  test('START-3: what would drive the terminal is shown, wherever it stands', () => {
    const bad = '\u001b[2J\u009b1m\u202e\u0007\r\n\u2028';
    const text = toPrettyLine(line({ msg: bad, [bad]: bad, deep: [{ [bad]: bad }] }), plain);
    expect(text).toContain('\\u{1b}[2J\\u{9b}1m\\u{202e}\\u{7}\\u{d}\\u{a}\\u{2028}');
    expect(text).not.toMatch(/[\p{Cc}\p{Cf}\u2028]/u);
  });

  test('START-3: whatever text is logged, it stays one line without control characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.jsonValue(), (msg, value) => {
        const text = toPrettyLine(line({ msg, value }), plain);
        expect(text).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
      }),
    );
  });

  test('START-3: what is no JSON is shown as it is', () => {
    expect(toPrettyLine('not JSON\n', plain)).toBe('not JSON');
    expect(showControls('plain text, ü, 漢')).toBe('plain text, ü, 漢');
  });
});
