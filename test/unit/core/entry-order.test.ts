import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InvariantError } from '../../../daemon/core/assert.ts';
import type { SessionEntry } from '../../../daemon/core/entry.ts';
import { EntryOrder } from '../../../daemon/core/entry-order.ts';
import { sessionId } from '../../../daemon/core/ids.ts';
import { SessionProjection } from '../../../daemon/core/session-state.ts';
import { call, result } from '../../support/items.ts';
import {
  answer,
  AT,
  input,
  results,
  runEnd,
  runStart,
  SESSION,
  sessionStart,
  validHistory,
} from '../../support/session-entries.ts';

/** Entries that clash easily: few ids, in any order. */
const anyEntry: fc.Arbitrary<SessionEntry> = fc.constantFrom<SessionEntry>(
  sessionStart(),
  { ...sessionStart(), history: [call('a'), result('a'), call('b')] },
  sessionStart(sessionId('another')),
  runStart('run-1'),
  runStart('run-2'),
  runEnd('run-1'),
  runEnd('run-2'),
  input('go'),
  answer(call('a')),
  answer(call('a'), call('b')),
  results(result('a')),
  results(result('b'), result('b')),
  { kind: 'injected_items', at: AT, items: [call('c')] },
  { kind: 'call_started', at: AT, callId: 'a', intent: { kind: 'command', hash: 'h' } },
  { kind: 'prune_marked', at: AT, index: 0 },
);

/** Where the first entry is refused; its length if none is. */
function refusedAt(entries: readonly SessionEntry[], take: (entry: SessionEntry) => void): number {
  for (const [index, entry] of entries.entries()) {
    try {
      take(entry);
    } catch (error) {
      expect(error).toBeInstanceOf(InvariantError);
      return index;
    }
  }
  return entries.length;
}

function compare(entries: readonly SessionEntry[], before: number): void {
  const projection = new SessionProjection(SESSION);
  const applied = refusedAt(entries.slice(0, before), (entry) => {
    projection.apply(entry);
  });
  if (applied < Math.min(before, entries.length)) return;
  const order = EntryOrder.after(projection).fork();
  const rest = entries.slice(before);
  const taken = refusedAt(rest, (entry) => {
    order.take(entry);
  });
  expect(
    refusedAt(rest, (entry) => {
      projection.apply(entry);
    }),
  ).toBe(taken);
}

describe('EntryOrder', () => {
  test('INV-2: it refuses exactly the entry that the projection would refuse', () => {
    const clashing = fc
      .array(anyEntry, { maxLength: 10 })
      .map((entries) => [sessionStart(), ...entries]);
    fc.assert(
      fc.property(
        fc.oneof(clashing, fc.array(anyEntry, { maxLength: 4 }), validHistory),
        fc.nat(12),
        compare,
      ),
      { numRuns: 1_000 },
    );
  });

  test('INV-2: what a fork takes is unknown to the one it came from', () => {
    const order = new EntryOrder({ sessionId: SESSION, begun: true, openRun: null }, []);
    order.fork().take(answer(call('a')));
    expect(() => {
      order.take(results(result('a')));
    }).toThrow(InvariantError);
  });
});
