import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JOURNAL_KINDS, SESSION_KINDS, type JournalEntry } from '../../../daemon/core/entry.ts';
import { extendChain, EMPTY_CHAIN } from '../../../daemon/core/entry-chain.ts';
import {
  decodeEntry,
  decodeHead,
  decodeLink,
  encodeEntry,
  encodeHead,
  encodeLink,
} from '../../../daemon/session/codec.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8');

describe('decodeEntry', () => {
  test('INV-2: a kind that is not in the table is refused by name', () => {
    const answer = decodeEntry(bytes('{"kind":"from_the_future","at":1}'), SESSION_KINDS);
    expect(answer).toEqual({
      ok: false,
      error: 'it is of kind "from_the_future", which this version of podd does not know',
    });
  });

  test.each(['constructor', 'toString', '__proto__'])(
    'INV-2: %s, which every object has, is not taken for a kind',
    (kind) => {
      expect(decodeEntry(bytes(JSON.stringify({ kind })), JOURNAL_KINDS).ok).toBe(false);
    },
  );

  test.each(['', 'null', '[]', '"x"', '{', '{}', '{"kind":1}', '\uFFFF'])(
    'INV-2: %j is refused',
    (text) => {
      expect(decodeEntry(bytes(text), SESSION_KINDS).ok).toBe(false);
    },
  );

  test('INV-2: bytes that are not UTF-8 are refused, not mended', () => {
    const broken = Buffer.concat([
      bytes('{"kind":"user_input","x":"'),
      Buffer.of(0xff),
      bytes('"}'),
    ]);
    expect(decodeEntry(broken, SESSION_KINDS).ok).toBe(false);
  });

  test('LOG-17: fields that this version does not know stay in the entry', () => {
    const entry = { kind: 'stopped', at: 1, reason: 'client', later: [1] };
    expect(decodeEntry<JournalEntry>(encodeEntry(entry), JOURNAL_KINDS)).toEqual({
      ok: true,
      value: entry,
    });
  });
});

describe('encodeLink', () => {
  test('LOG-2: a payload is stored byte for byte behind its hash', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), (payload) => {
        const { hash } = extendChain(EMPTY_CHAIN, payload);
        const value = encodeLink({ hash, payload });
        expect(Buffer.from(value).toString('hex')).toBe(
          hash + Buffer.from(payload).toString('hex'),
        );
        const link = decodeLink(value);
        expect(link.ok && link.value.hash).toBe(hash);
        expect(link.ok && Buffer.from(link.value.payload)).toEqual(Buffer.from(payload));
      }),
    );
  });

  test('LOG-2: a value that is cut off is refused', () => {
    expect(decodeLink(new Uint8Array(32)).ok).toBe(false);
  });
});

describe('encodeHead', () => {
  const head = { count: 2, bytes: 30, hash: extendChain(EMPTY_CHAIN, bytes('x')).hash };

  test('LOG-17: a head is read as it was written, fields that this version does not know included', () => {
    const record = { head, others: { chain: 3, later: 'kept' } };
    expect(decodeHead(encodeHead(record))).toEqual({ ok: true, value: record });
  });

  test.each([
    {},
    { ...head, count: -1 },
    { ...head, bytes: 1.5 },
    { ...head, hash: 'abc' },
    { count: 2, hash: head.hash },
  ])('LOG-3: %j is refused as a head', (stored) => {
    expect(decodeHead(bytes(JSON.stringify(stored))).ok).toBe(false);
  });
});
