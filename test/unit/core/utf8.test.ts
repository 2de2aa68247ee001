import { describe, expect, test } from 'vitest';
import { decodeUtf8 } from '../../../daemon/core/utf8.ts';

describe('decodeUtf8', () => {
  test('TOOL-3: bytes that are not UTF-8 are told apart, not replaced', () => {
    expect(decodeUtf8(Buffer.from('grün', 'latin1'))).toBeNull();
    expect(decodeUtf8(Buffer.from('grün', 'utf8'))).toBe('grün');
  });

  test('TOOL-3: a byte order mark is kept', () => {
    expect(decodeUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe('\uFEFFa');
  });
});
