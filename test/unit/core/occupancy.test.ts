import { expect, test } from 'vitest';
import { measuredRate, occupancyOf } from '../../../daemon/core/occupancy.ts';
import { SessionProjection } from '../../../daemon/core/session-state.ts';
import { answer, AT as at, input, SESSION, sessionStart } from '../../support/session-entries.ts';
import { said } from '../../support/items.ts';

test('TOK-1, PROTO-9: a fresh session is reckoned by its bytes, then by what the server counted', () => {
  const session = new SessionProjection(SESSION);
  expect(occupancyOf(session)).toEqual({ tokens: 0, source: 'no_data' });
  session.apply(sessionStart());
  session.apply(input('12345678'));
  expect(occupancyOf(session)).toEqual({ tokens: 4, source: 'no_data' });
  expect(measuredRate(session)).toBeNull();
  session.apply(answer(said('12345678')));
  const sent = { constant: 92, items: 8, passing: 0 };
  const usage = { inputTotal: 50, cacheRead: 0, cacheWrite: 0, output: 2 };
  session.apply({ kind: 'llm_usage', at, record: { ...usage, historyLen: 1, kind: 'run', sent } });
  expect(occupancyOf(session)).toEqual({ tokens: 54, source: 'extrapolated' });
  expect(occupancyOf(session, 10)).toEqual({ tokens: 59, source: 'extrapolated' });
  expect(measuredRate(session)).toBe(0.5);
});

test('TOK-3: a compacted session goes on from what the one before it had measured', () => {
  const session = new SessionProjection(SESSION);
  const calibration = { tokensPerByte: 0.5, constantTokens: 46 };
  session.apply({ ...sessionStart(), history: [said('12345678')], calibration });
  expect(occupancyOf(session)).toEqual({ tokens: 50, source: 'extrapolated' });
  expect(measuredRate(session)).toBe(0.5);
});
