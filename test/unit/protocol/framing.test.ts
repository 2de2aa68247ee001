import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LIMITS } from '../../../daemon/core/limits.ts';
import { encodeLine, type Frame, LINE_BYTES_MAX, LineDecoder } from '../../../protocol/framing.ts';

const bytes = (text: string): Buffer => Buffer.from(text, 'utf8');
const line = (text: string): Frame => ({ kind: 'line', text });

/** Cuts `all` at the given places, in any order and as often as they come. */
function split(all: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (all.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((from, index) => all.subarray(from, places[index] ?? all.length));
}

function decode(chunks: readonly Buffer[], lineBytesMax?: number): Frame[] {
  const decoder = new LineDecoder(lineBytesMax);
  return chunks.flatMap((chunk) => decoder.push(chunk));
}

// Surrogates out of their pairs have no UTF-8; LF ends a line.
const lineText = fc
  .string({
    unit: fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('\u2028', '\u2029', '\r')),
  })
  .map((text) => text.replaceAll('\n', ' '));

describe('LineDecoder', () => {
  test('PROTO-14: any lines split into any chunks come out as the same lines', () => {
    fc.assert(
      fc.property(fc.array(lineText), fc.array(fc.nat()), (lines, cuts) => {
        const all = bytes(lines.map((text) => `${text}\n`).join(''));
        expect(decode(split(all, cuts))).toEqual(lines.map(line));
      }),
    );
  });

  test('PROTO-14: lines that come a byte at a time are the same lines', () => {
    const text = '{"a":"ä€😀"}\n\n{"b":1}\n';
    const chunks = [...bytes(text)].map((byte) => Buffer.from([byte]));
    expect(decode(chunks)).toEqual([line('{"a":"ä€😀"}'), line(''), line('{"b":1}')]);
  });

  test.each(['\u2028', '\u2029', '\r', '\u0085', '\v', '\f', '\0'])(
    'PROTO-14: %j ends no line',
    (separator) => {
      expect(decode([bytes(`a${separator}b\n`)])).toEqual([line(`a${separator}b`)]);
    },
  );

  test('PROTO-14: nothing comes out before the LF, and the half line is counted', () => {
    const decoder = new LineDecoder();
    expect(decoder.push(bytes('{"half":'))).toEqual([]);
    expect(decoder.pendingBytes).toBe(8);
    expect(decoder.push(bytes('1}\n'))).toEqual([line('{"half":1}')]);
    expect(decoder.pendingBytes).toBe(0);
  });

  test('PROTO-2: a line of exactly the limit is whole, in any chunks', () => {
    fc.assert(
      fc.property(fc.array(fc.nat()), (cuts) => {
        const text = 'x'.repeat(50);
        expect(decode(split(bytes(`${text}\nnext\n`), cuts), 50)).toEqual([
          line(text),
          line('next'),
        ]);
      }),
    );
  });

  test('PROTO-2: a line one byte over the limit is too long, once, and nothing comes after it', () => {
    fc.assert(
      fc.property(fc.array(fc.nat()), (cuts) => {
        const all = bytes(`ok\n${'x'.repeat(51)}\nnext\n`);
        expect(decode(split(all, cuts), 50)).toEqual([line('ok'), { kind: 'too_long' }]);
      }),
    );
  });

  test('PROTO-2: a line without an end is too long before its end comes', () => {
    const decoder = new LineDecoder(50);
    decoder.push(Buffer.alloc(50, 'x'));
    expect(decoder.push(Buffer.alloc(1, 'x'))).toEqual([{ kind: 'too_long' }]);
    expect(decoder.pendingBytes).toBe(0);
  });

  test('PROTO-2: the limit counts bytes, not characters', () => {
    expect(decode([bytes('€€\n')], 6)).toEqual([line('€€')]);
    expect(decode([bytes('€€\n')], 5)).toEqual([{ kind: 'too_long' }]);
  });

  test('PROTO-2: a line that is not UTF-8 is told as such, and the next line is read', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20 }), fc.array(fc.nat()), (junk, cuts) => {
        // 0xff is in no UTF-8 text.
        const bad = Buffer.from([...junk.filter((byte) => byte !== 0x0a), 0xff, 0x0a]);
        const all = Buffer.concat([bad, bytes('good\n')]);
        expect(decode(split(all, cuts))).toEqual([{ kind: 'not_utf8' }, line('good')]);
      }),
    );
  });

  test('PROTO-14: a long line of code points of every length is whole, wherever it is split', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 20 }), fc.nat({ max: 3 }), (cuts, shift) => {
        const text = 'x'.repeat(shift) + 'aä€😀'.repeat(20_000);
        expect(decode(split(bytes(`${text}\nnext\n`), cuts))).toEqual([line(text), line('next')]);
      }),
      { numRuns: 30 },
    );
  });

  test('PROTO-2: a long line that is not UTF-8 anywhere is told as such once, at its end', () => {
    for (const at of [0, 70_000, 199_999]) {
      const bad = Buffer.alloc(200_000, 'x');
      bad[at] = 0xff;
      const decoder = new LineDecoder();
      expect(decoder.push(bad)).toEqual([]);
      expect(decoder.push(bytes('\ngood\n'))).toEqual([{ kind: 'not_utf8' }, line('good')]);
    }
  });

  test('PROTO-14: a code point cut off by LF is not UTF-8', () => {
    expect(decode([Buffer.from([0xe2, 0x82, 0x0a])])).toEqual([{ kind: 'not_utf8' }]);
  });

  test('PROTO-14: a chunk that is overwritten after push does not change its line', () => {
    const decoder = new LineDecoder();
    const chunk = bytes('abc');
    decoder.push(chunk);
    chunk.fill('z');
    expect(decoder.push(bytes('\n'))).toEqual([line('abc')]);
  });

  test('PROTO-2: the wire and the daemon have one line limit, 16 MiB', () => {
    expect(LINE_BYTES_MAX).toBe(16 * 1024 * 1024);
    expect(LIMITS.lineBytes).toBe(LINE_BYTES_MAX);
  });
});

describe('encodeLine', () => {
  test('PROTO-14: any JSON value is one line that reads back as itself', () => {
    fc.assert(
      fc.property(fc.object({ withNullPrototype: false }), (value) => {
        const text = encodeLine(value);
        expect(text.indexOf('\n')).toBe(text.length - 1);
        expect(decode([bytes(text)])).toEqual([line(JSON.stringify(value))]);
      }),
    );
  });
});
