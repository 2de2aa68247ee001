import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SessionEntry } from '../../../daemon/core/entry.ts';
import { planRecovery } from '../../../daemon/core/recovery.ts';
import { SessionProjection } from '../../../daemon/core/session-state.ts';
import { call, result, said } from '../../support/items.ts';
import {
  answer,
  AT,
  input,
  results,
  RUN,
  runEnd,
  runStart,
  SESSION,
  sessionStart,
  validHistory,
} from '../../support/session-entries.ts';

function fold(entries: readonly SessionEntry[]): SessionProjection {
  const session = new SessionProjection(SESSION);
  for (const entry of entries) session.apply(entry);
  return session;
}

const LATER = AT + 5;
const open = [sessionStart(), runStart(), input('go')];
const lost = (callId: string) => ({
  type: 'tool_result',
  callId,
  summary: 'interrupted; outcome unknown',
  isError: true,
});
const ended = {
  kind: 'run_outcome',
  at: LATER,
  runId: RUN,
  outcome: 'interrupted',
  interrupted: true,
};
const paused: SessionEntry = {
  kind: 'run_outcome',
  at: AT,
  runId: RUN,
  outcome: 'paused',
  interrupted: true,
  report: {
    runId: RUN,
    outcome: 'paused',
    text: '',
    turns: 1,
    usage: { inputTotal: 0, cacheRead: 0, cacheWrite: 0, output: 0 },
    sessionId: SESSION,
  },
};

const TABLE: readonly (readonly [string, readonly SessionEntry[], readonly unknown[]])[] = [
  ['a session that never began', [], []],
  ['a session without a run', [sessionStart()], []],
  ['a run that ended', [...open, answer(said('done')), runEnd()], []],
  ['a run before its first answer', open, [ended]],
  [
    'a run whose calls all have results',
    [...open, answer(call('a')), results(result('a'))],
    [ended],
  ],
  [
    'a run with open calls, in the order of the calls',
    [...open, answer(call('b'), call('a'), call('c')), results(result('a'))],
    [{ kind: 'tool_results', at: LATER, items: [lost('b'), lost('c')] }, ended],
  ],
  [
    'open calls of a run that ended',
    [...open, answer(call('a')), runEnd()],
    [{ kind: 'tool_results', at: LATER, items: [lost('a')] }],
  ],
  ['a paused run, whose calls wait for a decision', [...open, answer(call('a')), paused], []],
];

describe('planRecovery', () => {
  test.each(TABLE)('LOG-13: %s is closed by what the table says', (_, entries, expected) => {
    expect(planRecovery(fold(entries), LATER)).toEqual(expected);
  });

  test('INV-4: wherever a history is cut off, recovery leaves one result per call and one end per run', () => {
    fc.assert(
      fc.property(validHistory, fc.nat(), (history, cut) => {
        const cutOff = history.slice(0, cut % (history.length + 1));
        const session = fold(cutOff);
        const all = [...cutOff, ...planRecovery(session, LATER)];
        const closed = fold(all);
        expect(closed.openCalls.size).toBe(0);
        expect(closed.openRun).toBeNull();
        const calls = closed.items.flatMap((item) =>
          item.type === 'tool_call' ? item.callId : [],
        );
        const answered = closed.items.flatMap((item) =>
          item.type === 'tool_result' ? item.callId : [],
        );
        expect([...answered].sort()).toEqual([...calls].sort());
        const begun = all.filter(({ kind }) => kind === 'run_start').length;
        expect(all.filter(({ kind }) => kind === 'run_outcome')).toHaveLength(begun);
        expect(planRecovery(closed, LATER)).toEqual([]);
      }),
    );
  });
});
