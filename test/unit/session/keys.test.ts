import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InvariantError } from '../../../daemon/core/assert.ts';
import { sessionId } from '../../../daemon/core/ids.ts';
import {
  ALL_LOGS,
  entryKey,
  entryRange,
  FORMAT_KEY,
  journalLog,
  sessionLog,
  type LogPlace,
} from '../../../daemon/session/keys.ts';

const isIn = (key: string, { from, to }: { from: string; to: string }): boolean =>
  key >= from && key < to;

const id = fc.stringMatching(/^[0-9a-zA-Z._-]{1,8}$/);
const place: fc.Arbitrary<LogPlace> = fc.oneof(
  id.map((text) => sessionLog(sessionId(text))),
  fc.integer({ min: 1, max: 99_999_999 }).map(journalLog),
);
const seq = fc.integer({ min: 0, max: 999_999_999_999 });

describe('entryKey', () => {
  test('LOG-1: keys are in the order of the entries', () => {
    fc.assert(
      fc.property(place, seq, seq, (log, a, b) => {
        expect(entryKey(log, a) < entryKey(log, b)).toBe(a < b);
      }),
    );
  });

  test('LOG-1: a log whose name begins with that of another keeps its own entries', () => {
    fc.assert(
      fc.property(place, place, seq, (log, other, n) => {
        expect(isIn(entryKey(log, n), entryRange(log))).toBe(true);
        if (log.prefix !== other.prefix)
          expect(isIn(entryKey(other, n), entryRange(log))).toBe(false);
        expect(isIn(log.headKey, entryRange(other))).toBe(false);
      }),
    );
  });

  test('LOG-1: every entry and head is in the ranges of the logs, the format is not', () => {
    const inLogs = (key: string): boolean => ALL_LOGS.some((range) => isIn(key, range));
    fc.assert(
      fc.property(place, seq, (log, n) => {
        expect(inLogs(entryKey(log, n))).toBe(true);
        expect(inLogs(log.headKey)).toBe(true);
      }),
    );
    expect(inLogs(FORMAT_KEY)).toBe(false);
  });

  test.each(['', 'a!b', 'a b', '~'])('LOG-1: %j is no session id', (text) => {
    expect(() => sessionLog(sessionId(text))).toThrow(InvariantError);
  });
});
