import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Item } from '../../../protocol/items.ts';
import { isAnswerPart } from '../../../daemon/core/checked-items.ts';
import { splitForRetained } from '../../../daemon/core/compaction-plan.ts';
import { HistorySizes } from '../../../daemon/core/history-sizes.ts';
import { call, result, said, thought, user } from '../../support/items.ts';

/** A byte is a token here. */
function split(items: readonly Item[], retained: number): number {
  const sizes = HistorySizes.of(items);
  return splitForRetained(
    items,
    (index) => sizes.bytesAt(items.length) - sizes.bytesAt(index),
    retained,
  );
}

const text = (bytes: number): string => 'x'.repeat(bytes);

describe('splitForRetained', () => {
  const items = [user(text(50)), said(text(50)), user(text(50)), said(text(50))];

  test('TOK-2: the tail is worth at most what is to be retained', () => {
    expect(split(items, 200)).toBe(0);
    expect(split(items, 199)).toBe(1);
    expect(split(items, 100)).toBe(2);
    expect(split(items, 99)).toBe(3);
    expect(split(items, 0)).toBe(4);
  });

  test('TOK-2: a call and its result stay together, and so do the parts of an answer', () => {
    const history = [
      user('go'),
      thought(text(10)),
      said(text(10)),
      call('a'),
      call('b'),
      result('a', text(100)),
      result('b', text(100)),
      said('ok'),
    ];
    for (let retained = 0; retained < 400; retained += 1)
      expect([0, 1, 7, 8]).toContain(split(history, retained));
  });

  test('TOK-2: an item that is larger is kept whole only if nothing smaller can be', () => {
    const asked = [...items, user(text(500))];
    expect(split(asked, 100)).toBe(4);
    expect(split([...asked, said('answered')], 100)).toBe(5);
    const open = [user('go'), call('a', text(500))];
    expect(split(open, 10)).toBe(1);
  });

  /** Runs of turns as a Pod stores them, the last one perhaps cut off in its calls. */
  const anyRuns: fc.Arbitrary<Item[]> = fc
    .array(
      fc.record({
        asked: fc.nat(60),
        turns: fc.array(
          fc.record({ says: fc.nat(60), calls: fc.array(fc.nat(120), { maxLength: 3 }) }),
          { maxLength: 4 },
        ),
      }),
      { maxLength: 5 },
    )
    .chain((runs) =>
      fc.nat(3).map((missing) => {
        let ids = 0;
        const items = runs.flatMap(({ asked, turns }) => [
          user(text(asked)),
          ...turns.flatMap(({ says, calls }) => {
            const own = calls.map((bytes) => ({ id: `c${(ids += 1)}`, bytes }));
            return [
              said(text(says)),
              ...own.map(({ id }) => call(id)),
              ...own.map(({ id, bytes }) => result(id, text(bytes))),
            ];
          }),
        ]);
        const results = items.filter(({ type }) => type === 'tool_result').length;
        const isCut = items.at(-1)?.type === 'tool_result';
        return isCut ? items.slice(0, items.length - Math.min(missing, results)) : items;
      }),
    );

  test('TOK-2: of any history the cut parts nothing that belongs together, and no legal cut would keep more', () => {
    fc.assert(
      fc.property(anyRuns, fc.nat(1000), (history, retained) => {
        const cut = split(history, retained);
        const tail = history.slice(cut);
        expect(tail[0]?.type).not.toBe('tool_result');
        const calls = new Set(
          tail.flatMap((item) => (item.type === 'tool_call' ? item.callId : [])),
        );
        for (const item of tail)
          if (item.type === 'tool_result') expect(calls.has(item.callId)).toBe(true);
        const done = new Set(
          history.flatMap((item) => (item.type === 'tool_result' ? item.callId : [])),
        );
        for (const item of history.slice(0, cut))
          if (item.type === 'tool_call') expect(done.has(item.callId)).toBe(true);
        const [before, first] = [history[cut - 1], history[cut]];
        expect(before && first && isAnswerPart(before) && isAnswerPart(first)).not.toBe(true);
        const sizes = HistorySizes.of(history);
        const bytes = sizes.bytesAt(history.length) - sizes.bytesAt(cut);
        // More than was asked for only where nothing smaller can be.
        if (bytes > retained) expect(split(history, 0)).toBe(cut);
        else if (cut > 0) {
          const more = split(history, sizes.bytesAt(history.length) - sizes.bytesAt(cut - 1));
          if (more < cut)
            expect(sizes.bytesAt(history.length) - sizes.bytesAt(more)).toBeGreaterThan(retained);
        }
      }),
    );
  });
});
