import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Item } from '../../../protocol/items.ts';
import { HistorySizes } from '../../../daemon/core/history-sizes.ts';
import { type Prunable, planPrune } from '../../../daemon/core/prune-plan.ts';
import { call, said, user } from '../../support/items.ts';

const big = (callId: string, bytes = 4000): Item => ({
  type: 'tool_result',
  callId,
  summary: `read ${callId}`,
  content: 'x'.repeat(bytes),
});
/** A user turn with one read of 1,000 tokens. */
const turn = (name: string): Item[] => [user(name), call(name), big(name), said('done')];

const prunable = (items: readonly Item[], changes: Partial<Prunable> = {}): Prunable => ({
  items,
  sizes: HistorySizes.of(items),
  mark: 0,
  tokensPerByte: 0.25,
  ...changes,
});
const SETTINGS = { protectedTurns: 2, protectedTokens: 8000, minSavings: 900 };

describe('planPrune', () => {
  const five = ['a', 'b', 'c', 'd', 'e'].flatMap(turn);

  test('PRUNE-1: the last user turns stay whole, what is before them goes', () => {
    expect(planPrune(prunable(five), SETTINGS)).toBe(12);
    expect(planPrune(prunable(five), { ...SETTINGS, protectedTurns: 4 })).toBe(4);
    expect(planPrune(prunable(five), { ...SETTINGS, protectedTurns: 5 })).toBeNull();
  });

  test('PRUNE-1: of one endless turn only the newest tokens are protected', () => {
    const endless = [
      user('go'),
      ...Array.from({ length: 20 }, (_, n) => [call(`c${n}`), big(`c${n}`)]).flat(),
      said('on it'),
    ];
    const mark = planPrune(prunable(endless), { ...SETTINGS, protectedTokens: 5000 });
    // Of its end four whole results of 1,000 tokens fit into 5,000, with the call of the oldest.
    expect(mark).toBe(endless.length - 1 - 8);
  });

  test('PRUNE-1: what no model has answered yet is never left out', () => {
    const items = [user('go'), call('a'), big('a'), call('b'), big('b')];
    const settings = { protectedTurns: 0, protectedTokens: 1, minSavings: 1 };
    expect(planPrune(prunable(items), settings)).toBe(4);
  });

  test('PRUNE-2: below the savings the mark stays, at them it moves', () => {
    const tokens = HistorySizes.of(five).savedBetween(0, 12) * 0.25;
    expect(planPrune(prunable(five), { ...SETTINGS, minSavings: tokens + 1 })).toBeNull();
    expect(planPrune(prunable(five), { ...SETTINGS, minSavings: tokens })).toBe(12);
  });

  test('PRUNE-2: what is left out already saves nothing a second time', () => {
    expect(planPrune(prunable(five, { mark: 12 }), SETTINGS)).toBeNull();
    expect(planPrune(prunable([...five, ...turn('f')], { mark: 12 }), SETTINGS)).toBe(16);
  });

  test('PRUNE-2: without data nothing is left out', () => {
    expect(planPrune(prunable(five, { tokensPerByte: null }), SETTINGS)).toBeNull();
  });

  const anySettings = fc.record({
    protectedTurns: fc.nat(4),
    protectedTokens: fc.nat(40),
    minSavings: fc.nat(10),
  });
  const anyResults = fc.array(
    fc.oneof(
      fc.constantFrom(user('u'), said('s')),
      fc.nat(300).map((bytes) => big('r', bytes)),
      fc.constant(call('r')),
    ),
    { maxLength: 30 },
  );

  test('PRUNE-1, PRUNE-2: of any history the mark only moves on, is worth it, and is then where it stays', () => {
    fc.assert(
      fc.property(anyResults, anySettings, fc.nat(30), (items, settings, mark) => {
        const before = prunable(items, { mark: Math.min(mark, items.length) });
        const moved = planPrune(before, settings);
        if (moved === null) return;
        expect(moved).toBeGreaterThan(before.mark);
        expect(moved).toBeLessThanOrEqual(items.length);
        const saved = before.sizes.savedBetween(before.mark, moved) * 0.25;
        expect(saved).toBeGreaterThanOrEqual(settings.minSavings);
        expect(planPrune({ ...before, mark: moved }, settings)).toBeNull();
      }),
    );
  });
});
