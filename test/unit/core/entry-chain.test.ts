import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  EMPTY_CHAIN,
  extendChain,
  followChain,
  hashEntry,
  isSameHead,
  type ChainHead,
  type ChainLink,
} from '../../../daemon/core/entry-chain.ts';

const utf8 = (text: string): Uint8Array => Buffer.from(text, 'utf8');

// Made with: (printf '%064d' 0 | xxd -r -p; printf a) | sha256sum, and so on with each result.
const VECTORS = [
  ['a', '41a0370c3d9f42773a59e8e01651911cf43b1e3f66944cbb690029debc4eb647'],
  ['b', 'abccbe9b24d2bbd3aa1360d605147a841dd051130131c6929d6004e1ae4796e8'],
  ['', 'b2ca33a573dd532a3790e206678a78253403edc32492d3933011503e399e6ef1'],
  ['{"kind":"äöü😀"}', '1d0d7146d8d183fb164c1ec679a9f3f91b5d0df05a2a8190e216d465ae3e8b36'],
] as const;

describe('hashEntry', () => {
  test('LOG-2: an entry hash is SHA-256 of the hash before it and the payload, 32 zero bytes before the first', () => {
    let previous: ReturnType<typeof hashEntry> | null = null;
    for (const [payload, expected] of VECTORS) {
      previous = hashEntry(previous, utf8(payload));
      expect(previous).toBe(expected);
    }
  });
});

function build(payloads: readonly Uint8Array[]): { links: ChainLink[]; head: ChainHead } {
  const links: ChainLink[] = [];
  let head: ChainHead = EMPTY_CHAIN;
  for (const payload of payloads) {
    const next = extendChain(head, payload);
    links.push({ hash: next.hash, payload });
    head = next;
  }
  return { links, head };
}

/** As a reader does: follow every link, then compare with the head that was stored. */
function verifies(links: readonly ChainLink[], expected: ChainHead): boolean {
  let head: ChainHead = EMPTY_CHAIN;
  for (const link of links) {
    const next = followChain(head, link);
    if (!next.ok) return false;
    head = next.value;
  }
  return isSameHead(head, expected);
}

function flip(bytes: Uint8Array, at: number, by: number): Uint8Array {
  const changed = Buffer.from(bytes);
  const index = at % changed.length;
  changed[index] = (changed[index] ?? 0) ^ by;
  return changed;
}

const payloads = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), {
  minLength: 1,
  maxLength: 8,
});

describe('followChain', () => {
  test('LOG-2: a chain verifies to the head it was built with, which counts its entries and bytes', () => {
    fc.assert(
      fc.property(payloads, (all) => {
        const { links, head } = build(all);
        expect(verifies(links, head)).toBe(true);
        expect(head.count).toBe(all.length);
        expect(head.bytes).toBe(all.reduce((sum, one) => sum + one.length, 0));
      }),
    );
  });

  test('LOG-2: a single changed byte of any payload or hash is detected', () => {
    fc.assert(
      fc.property(
        payloads,
        fc.nat(),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        fc.boolean(),
        (all, which, at, by, inHash) => {
          const { links, head } = build(all);
          const index = which % links.length;
          const changed = links.map((link, n): ChainLink => {
            if (n !== index) return link;
            if (!inHash) return { ...link, payload: flip(link.payload, at, by) };
            const hash = Buffer.from(flip(Buffer.from(link.hash, 'hex'), at, by)).toString('hex');
            return { ...link, hash: hash as ChainLink['hash'] };
          });
          expect(verifies(changed, head)).toBe(false);
        },
      ),
    );
  });

  test('LOG-2: an entry left out, doubled or moved is detected', () => {
    fc.assert(
      fc.property(payloads, fc.nat(), (all, which) => {
        const { links, head } = build(all);
        const index = which % links.length;
        const without = links.filter((_, n) => n !== index);
        const doubled = links.flatMap((link, n) => (n === index ? [link, link] : [link]));
        const moved = [...links.slice(index), ...links.slice(0, index)];
        expect(verifies(without, head)).toBe(false);
        expect(verifies(doubled, head)).toBe(false);
        if (index > 0) expect(verifies(moved, head)).toBe(false);
      }),
    );
  });
});
