import { describe, expect, test } from 'vitest';
import { InvariantError } from '../../../daemon/core/assert.ts';
import { SESSION_KINDS, type SessionEntry, type UsageRecord } from '../../../daemon/core/entry.ts';
import { entryHash, runId, sessionId } from '../../../daemon/core/ids.ts';
import { SessionProjection, type SessionState } from '../../../daemon/core/session-state.ts';
import { call, result, said, user } from '../../support/items.ts';
import {
  answer,
  AT as at,
  CONFIG,
  input,
  results,
  RUN,
  runEnd,
  runStart,
  SESSION,
  sessionStart,
} from '../../support/session-entries.ts';

function fold(...entries: readonly SessionEntry[]): SessionProjection {
  const session = new SessionProjection(SESSION);
  for (const entry of entries) session.apply(entry);
  return session;
}

const begun = [sessionStart(), runStart(), input('go')];
const record: UsageRecord = {
  inputTotal: 10,
  cacheRead: 4,
  cacheWrite: 3,
  output: 2,
  historyLen: 1,
  kind: 'run',
};

type Kind = SessionEntry['kind'];

/** What each kind changes after `begun` and a call `a`. It does not compile while a kind is missing. */
const TABLE: {
  readonly [K in Exclude<Kind, 'session_start' | 'run_start'>]: readonly [
    Extract<SessionEntry, { kind: K }>,
    Partial<SessionState>,
  ];
} = {
  user_input: [
    { kind: 'user_input', at, item: user('hi') },
    { items: [user('go'), call('a'), user('hi')] },
  ],
  injected_items: [
    { kind: 'injected_items', at, items: [user('note')] },
    { items: [user('go'), call('a'), user('note')] },
  ],
  assistant_items: [
    { kind: 'assistant_items', at, items: [said('ok')] },
    { items: [user('go'), call('a'), said('ok')] },
  ],
  call_started: [
    { kind: 'call_started', at, callId: 'a', intent: { kind: 'command', hash: 'h' } },
    { openCalls: new Map([['a', { name: 'Read', intent: { kind: 'command', hash: 'h' } }]]) },
  ],
  tool_results: [
    { kind: 'tool_results', at, items: [result('a')] },
    { items: [user('go'), call('a'), result('a')], openCalls: new Map() },
  ],
  turn_end: [
    { kind: 'turn_end', at, runId: RUN, turnCount: 7, stopReason: 'tool_calls' },
    { turnCount: 7 },
  ],
  llm_usage: [
    { kind: 'llm_usage', at, record },
    {
      usageRecords: [{ ...record, sent: { constant: 8, items: 2, passing: 0 }, at }],
      totals: {
        usage: { inputTotal: 10, cacheRead: 4, cacheWrite: 3, output: 2 },
        costUsd: 0,
      },
    },
  ],
  prune_marked: [{ kind: 'prune_marked', at, index: 1 }, { pruneMark: 1 }],
  config_changed: [
    { kind: 'config_changed', at, config: { ...CONFIG, maxTurns: 3 } },
    { config: { ...CONFIG, maxTurns: 3 } },
  ],
  run_yielded: [{ kind: 'run_yielded', at, runId: RUN }, { openRun: RUN }],
  run_outcome: [
    { kind: 'run_outcome', at, runId: RUN, outcome: 'interrupted', interrupted: true },
    { openRun: null, lastRun: { runId: RUN, outcome: 'interrupted', interrupted: true } },
  ],
};

/** All that a reader sees, as plain data. */
function snapshot(session: SessionState): Record<string, unknown> {
  const { tracker, items, sizes, usageRecords, openCalls, ...rest } = session;
  return {
    ...rest,
    bytes: sizes.bytesAt(sizes.length),
    tracker: tracker.files(),
    items: [...items],
    usageRecords: [...usageRecords],
    openCalls: structuredClone(openCalls),
  };
}

describe('SessionProjection', () => {
  test.each(Object.keys(TABLE) as (keyof typeof TABLE)[])(
    'LOG-6: %s changes what the table says and nothing else',
    (kind) => {
      const session = fold(...begun, answer(call('a')));
      const before = snapshot(session);
      const [entry, changes] = TABLE[kind];
      session.apply(entry);
      const { bytes, ...after } = snapshot(session);
      expect({ ...after, bytes: before['bytes'] }).toEqual({ ...before, ...changes });
      const grown = session.items.length > 2;
      expect(bytes === before['bytes']).toBe(!grown);
    },
  );

  test('LOG-1: the table names every kind', () => {
    const tabled = [...Object.keys(TABLE), 'session_start', 'run_start'];
    expect(tabled.sort()).toEqual(Object.keys(SESSION_KINDS).sort());
  });

  test('LOG-6: session_start carries prompt, config, history, files and turns of an earlier session', () => {
    const session = fold({
      ...sessionStart(),
      history: [user('one'), said('two')],
      files: [{ path: '/w/a', hash: 'h1' }],
      turnCount: 3,
    });
    expect(session.begun).toBe(true);
    expect(session.systemPrompt).toBe('be brief');
    expect(session.config).toEqual(CONFIG);
    expect(session.items).toEqual([user('one'), said('two')]);
    expect(session.sizes.bytesAt(2)).toBe(6);
    expect(session.turnCount).toBe(3);
    expect(session.tracker.hashOf('/w/a')).toBe('h1');
  });

  test('COMP-8: a compacted session goes on with what its line had, and with an open run; usage records are its own', () => {
    const totals = {
      usage: { inputTotal: 9, cacheRead: 1, cacheWrite: 2, output: 3 },
      costUsd: 0.5,
    };
    const lastRun = { runId: runId('before'), outcome: 'finished' as const, interrupted: false };
    const session = fold(
      {
        ...sessionStart(),
        history: [said('summary'), call('a'), result('a')],
        turnCount: 9,
        compactedFrom: { sessionId: sessionId('old'), atHash: entryHash('h') },
        calibration: { tokensPerByte: 0.3, constantTokens: 7 },
        carried: { openRun: RUN, lastRun, firstRequest: 'the first', totals },
      },
      { kind: 'prune_marked', at, index: 3 },
      input('the second'),
    );
    expect(session).toMatchObject({
      turnCount: 9,
      pruneMark: 3,
      compactedFrom: 'old',
      openRun: RUN,
      lastRun,
      firstRequest: 'the first',
      totals,
      usageRecords: [],
    });
    session.apply({ kind: 'llm_usage', at, record: { ...record, costUsd: 0.25 } });
    expect(session.totals).toEqual({
      usage: { inputTotal: 19, cacheRead: 5, cacheWrite: 5, output: 5 },
      costUsd: 0.75,
    });
    expect(() => {
      session.apply({ kind: 'run_yielded', at, runId: runId('other') });
    }).toThrow('was not open');
  });

  test('LOG-16: a session without entries is not begun and has no history', () => {
    const session = fold();
    expect(session.begun).toBe(false);
    expect(session.items).toEqual([]);
    expect(session.config).toBeNull();
  });

  test('LOG-6: files that a result touched are tracked with their hashes', () => {
    const files = [{ path: '/w/b', hash: 'h2', op: 'write' as const }];
    const session = fold(...begun, answer(call('a')), results({ ...result('a'), files }));
    expect(session.tracker.files()).toEqual([{ path: '/w/b', hash: 'h2', wrote: true }]);
  });

  test('LOG-10: usage records kept in memory have a limit, their sum counts them all', () => {
    const session = fold(...begun);
    for (let n = 0; n < 2_100; n += 1) session.apply({ kind: 'llm_usage', at, record });
    expect(session.usageRecords).toHaveLength(2_048);
    expect(session.totals.usage.inputTotal).toBe(21_000);
  });

  test.each<readonly [string, readonly SessionEntry[]]>([
    ['an entry before session_start', [runStart()]],
    ['a second session_start', [sessionStart(), sessionStart()]],
    ['a session_start of another session', [sessionStart(sessionId('another'))]],
    ['a run that begins while one is open', [...begun, runStart('run-2')]],
    ['the end of a run that is not open', [sessionStart(), runEnd()]],
    ['a second end of a run', [...begun, runEnd(), runEnd()]],
    ['the end of another run', [...begun, runEnd('run-2')]],
  ])('INV-3: %s is refused', (_, entries) => {
    expect(() => fold(...entries)).toThrow(InvariantError);
  });

  test.each<readonly [string, readonly SessionEntry[]]>([
    ['a result without its call', [...begun, results(result('a'))]],
    [
      'a second result of a call',
      [...begun, answer(call('a')), results(result('a')), results(result('a'))],
    ],
    ['a call with the id of an open one', [...begun, answer(call('a'), call('a'))]],
    [
      'the intent of a call that is not open',
      [...begun, { kind: 'call_started', at, callId: 'a', intent: { kind: 'command', hash: 'h' } }],
    ],
  ])('INV-4: %s is refused', (_, entries) => {
    expect(() => fold(...entries)).toThrow(InvariantError);
  });

  test('INV-4: calls are open in the order of the calls until each has its result', () => {
    const session = fold(...begun, answer(call('b'), call('a')));
    expect([...session.openCalls.keys()]).toEqual(['b', 'a']);
    session.apply(results(result('b')));
    expect([...session.openCalls.keys()]).toEqual(['a']);
  });

  test('INV-1: an item that is in the history can not be changed any more', () => {
    const session = fold(...begun);
    expect(session.items.every((item) => Object.isFrozen(item))).toBe(true);
  });

  test('INV-3: a run is open from its start to its end, and the next one may follow', () => {
    const session = fold(...begun);
    expect(session.openRun).toBe(RUN);
    session.apply(runEnd());
    expect(session.openRun).toBeNull();
    session.apply(runStart('run-2'));
    expect(session.openRun).toBe(runId('run-2'));
  });
});
