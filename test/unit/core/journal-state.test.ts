import { describe, expect, test } from 'vitest';
import { InvariantError } from '../../../daemon/core/assert.ts';
import { JOURNAL_KINDS, type JournalEntry, type JournalState } from '../../../daemon/core/entry.ts';
import { runId, sessionId } from '../../../daemon/core/ids.ts';
import { EMPTY_JOURNAL, nextJournalState } from '../../../daemon/core/journal-state.ts';
import { AT as at, SESSION } from '../../support/session-entries.ts';

const INPUT = { runId: runId('r1'), text: 'first', inputId: 'i1' };
const NOTE = { noteId: 'n1', text: 'noted', from: 'a' };
const REQUEST = { method: 'Run', requestId: 'i1', hash: 'h' } as const;

const BEFORE: JournalState = {
  epoch: 4,
  bootId: 'boot-1',
  stopped: true,
  sessionCurrent: sessionId('old'),
  inputs: [INPUT],
  notes: [NOTE],
  notesDropped: 2,
  compaction: { failures: 2, disabled: false, lastAt: 7, lastFailure: 'why' },
  requests: [{ ...REQUEST, at }],
};

type Kind = JournalEntry['kind'];

/** What each kind makes of `BEFORE`, or null where it is refused. It does not compile while a kind is missing. */
const TABLE: {
  readonly [K in Kind]: readonly [
    Omit<Extract<JournalEntry, { kind: K }>, 'kind' | 'at'>,
    JournalState | null,
  ];
} = {
  journal_start: [{ version: 1, state: BEFORE }, null],
  started: [
    { epoch: 5, bootId: 'boot-2' },
    { ...BEFORE, epoch: 5, bootId: 'boot-2', stopped: false },
  ],
  stopped: [{ reason: 'client' }, { ...BEFORE, stopped: true }],
  session_current: [{ sessionId: SESSION }, { ...BEFORE, sessionCurrent: SESSION }],
  input_queued: [
    { input: { runId: runId('r2'), text: 'second' } },
    { ...BEFORE, inputs: [INPUT, { runId: runId('r2'), text: 'second' }] },
  ],
  input_taken: [{ runId: INPUT.runId }, { ...BEFORE, inputs: [] }],
  input_cleared: [
    { runIds: [INPUT.runId], forgotten: false },
    { ...BEFORE, inputs: [] },
  ],
  note_queued: [
    { note: { noteId: 'n2', text: 'more' } },
    { ...BEFORE, notes: [NOTE, { noteId: 'n2', text: 'more' }] },
  ],
  note_taken: [
    { noteIds: ['n1'], dropped: 2 },
    { ...BEFORE, notes: [], notesDropped: 0 },
  ],
  request_done: [
    { request: { ...REQUEST, requestId: 'i2' } },
    { ...BEFORE, requests: [...BEFORE.requests, { ...REQUEST, requestId: 'i2', at }] },
  ],
  decision_asked: [{ callId: 'c', tool: 't', expiresAt: 1 }, null],
  decision_made: [{ callId: 'c', action: 'allow', by: 'me' }, null],
  remembered: [{ tool: 't', match: 'm', action: 'deny' }, null],
  budget: [
    {
      used: { inputTotal: 0, cacheRead: 0, cacheWrite: 0, output: 0 },
      turns: 0,
      costUsd: 0,
    },
    null,
  ],
  child: [{ pod: 'p', state: null, readCursor: 0 }, null],
  outbox: [{ n: 1, event: null, acknowledged: false }, null],
  inbox_cursor: [{ pod: 'p', outbox: 'o', n: 1 }, null],
  compaction_state: [
    { failures: 0, disabled: false },
    { ...BEFORE, compaction: { failures: 0, disabled: false, lastAt: at } },
  ],
};

describe('nextJournalState', () => {
  test.each(Object.keys(JOURNAL_KINDS) as Kind[])(
    'INV-2: %s moves the state as the table says, or is refused aloud',
    (kind) => {
      const [fields, expected] = TABLE[kind];
      const entry = { kind, at, ...fields } as JournalEntry;
      if (expected === null) expect(() => nextJournalState(BEFORE, entry)).toThrow(InvariantError);
      else expect(nextJournalState(BEFORE, entry)).toEqual(expected);
    },
  );

  test.each((Object.keys(JOURNAL_KINDS) as Kind[]).filter((kind) => kind !== 'journal_start'))(
    'INV-2: %s is refused before journal_start',
    (kind) => {
      const entry = { kind, at, ...TABLE[kind][0] } as JournalEntry;
      expect(() => nextJournalState(null, entry)).toThrow(InvariantError);
    },
  );

  test('LOG-3: a chain begins with the state that its journal_start holds', () => {
    const entry: JournalEntry = { kind: 'journal_start', at, version: 1, state: BEFORE };
    expect(nextJournalState(null, entry)).toEqual(BEFORE);
  });

  test('PROTO-17: an input that could not begin leaves its id free', () => {
    const run = { runId: INPUT.runId, sessionId: SESSION };
    const asked = { ...BEFORE, requests: [...BEFORE.requests, { ...REQUEST, at, run }] };
    const entry = { kind: 'input_cleared', at, runIds: [INPUT.runId] } as const;
    const cleared = (forgotten: boolean) => nextJournalState(asked, { ...entry, forgotten });
    expect(cleared(true)).toMatchObject({ inputs: [], requests: BEFORE.requests });
    expect(cleared(false).requests).toHaveLength(2);
  });

  test('PROTO-17: an input that does not wait can not be taken', () => {
    const entry = { kind: 'input_taken', at, runId: runId('r9') } as const;
    expect(() => nextJournalState(BEFORE, entry)).toThrow(InvariantError);
  });

  test('LOG-17: what an older version wrote of its state has nothing that waits', () => {
    const { inputs: _i, notes: _n, notesDropped: _d, requests: _r, ...old } = BEFORE;
    const entry = { kind: 'journal_start', at, version: 1, state: old } as unknown as JournalEntry;
    expect(nextJournalState(null, entry)).toMatchObject({ inputs: [], notes: [], requests: [] });
  });

  test('LOG-17: fields of a state that this version does not know stay in it', () => {
    const state = { ...EMPTY_JOURNAL, later: { kept: true } };
    const begun = nextJournalState(null, { kind: 'journal_start', at, version: 1, state });
    const moved = nextJournalState(begun, { kind: 'session_current', at, sessionId: SESSION });
    expect(moved).toEqual({ ...state, sessionCurrent: SESSION });
  });

  test('LOG-13: an epoch that does not rise is refused', () => {
    const entry: JournalEntry = { kind: 'started', at, epoch: 4, bootId: 'b' };
    expect(() => nextJournalState(BEFORE, entry)).toThrow('epoch 4 started after 4');
  });
});
