import { describe, expect, test } from 'vitest';
import { describeDuration, renderStatus } from '../../../../../client/podctl/render/status-text.ts';
import { styleFor } from '../../../../../client/podctl/render/style.ts';
import type { Status } from '../../../../../protocol/status.ts';
import { FakeShell } from '../../../../support/fake-shell.ts';

const NO_RULES = { allow: [], deny: [] };
const STATUS: Status = {
  protocol: 1,
  version: '0.1.0',
  pod: 'coder',
  pid: 42,
  epoch: 3,
  state: 'running',
  phase: 'tools',
  run: { id: 'r7', startedAt: 0, turn: 2 },
  lastOutcome: 'limit_reached',
  interrupted: true,
  sessionId: 's1',
  headHash: null,
  turnCount: 5,
  items: 11,
  occupancy: { tokens: 900, source: 'no_data', limit: 1000 },
  usage: { inputTotal: 70, cacheRead: 0, cacheWrite: 0, output: 8 },
  provider: { kind: 'scripted', model: 'a.toml' },
  cwd: '/w',
  scope: {
    own: NO_RULES,
    delegated: NO_RULES,
    effective: {
      allow: [{ target: '/w', permission: 'write', recursive: true }],
      deny: [{ target: '/w/keys', permission: 'read', recursive: false }],
    },
  },
  parent: null,
  children: [],
  waiting: { notes: 0, inputs: 0, events: 0, decisions: 0 },
  outbox: 0,
  compaction: { disabled: false, failures: 0, lastAt: null },
  log: { sessionEntries: 1, sessionBytes: 1, journalEntries: 1, journalBytes: 1 },
  committingSince: null,
  connections: 1,
  uptimeMs: 61_000,
  rssBytes: 50 * 1024 * 1024,
};

function render(changes: Partial<Status> = {}): string {
  const { out } = new FakeShell({ terminal: true }).shell;
  return renderStatus({ ...STATUS, ...changes }, styleFor(out, { NO_COLOR: '1' }));
}

describe('renderStatus', () => {
  test('CLI-2: says what waits, and nothing where nothing does', () => {
    const waiting = { notes: 1, inputs: 2, events: 0, decisions: 0 };
    expect(render({ waiting })).toContain('\n  waiting    2 inputs, 1 note\n');
    expect(render()).not.toContain('waiting');
  });

  test('CLI-2: says what the Pod does, in which session, and what it may touch', () => {
    expect(render()).toBe(
      [
        'coder  pid 42, epoch 3, podd 0.1.0',
        '  state      running, tools; turn 2 of run r7',
        '  last run   limit_reached',
        '  model      scripted a.toml',
        '  session    s1 (11 items, 5 turns)',
        '  occupancy  900 / 1,000 tokens (90%, no data)',
        '  tokens     70 in, 8 out',
        '  cwd        /w',
        '  may        write /w',
        '  may not    read /w/keys (with its direct children only)',
        '  clients    1',
        '  up         1 m 1 s',
        '  memory     50 MiB',
        '',
      ].join('\n'),
    );
  });

  test('CLI-2: a window that is not known has no part', () => {
    const occupancy = { tokens: 31_200, source: 'measured' as const };
    expect(render({ occupancy })).toContain('\n  occupancy  31,200 tokens (measured)\n');
  });

  test('CLI-2: says what the last request found in the cache and why not more, and the cost where it is known', () => {
    const text = render({ cache: { hit: 9_000, reason: 'the tools\nchanged' }, costUsd: 0.5 });
    expect(text).toContain(
      '\n  cache      the last request found 9,000 tokens (the tools changed)\n  cost       $0.5000\n',
    );
    expect(render({ cache: { hit: 0 } })).toContain('found 0 tokens\n');
    expect(render()).not.toMatch(/cache|cost/);
  });

  const at = Date.UTC(2026, 10, 28, 14, 41, 30);
  test.each([
    [{ disabled: false, failures: 0, lastAt: at }, 'last one 2026-11-28 14:41:30 UTC'],
    [
      { disabled: false, failures: 1, lastAt: null, lastFailure: 'no\nsummary' },
      '1 failure in a row; last failure: no summary',
    ],
    [
      { disabled: true, failures: 3, lastAt: at, lastFailure: 'no' },
      'off after 3 failures (podctl compact turns it on when it succeeds); last one 2026-11-28 14:41:30 UTC; last failure: no',
    ],
  ])('CLI-2: says how compactions went: %j', (compaction, says) => {
    expect(render({ compaction })).toContain(`\n  compaction ${says}\n`);
  });

  test('CLI-2: a compaction that is off is red on a terminal with colours, and nothing of it is there without one', () => {
    const compaction = { disabled: true, failures: 3, lastAt: null };
    const { out } = new FakeShell({ terminal: true }).shell;
    expect(renderStatus({ ...STATUS, compaction }, styleFor(out, {}))).toContain(
      '\u001b[31moff after 3 failures',
    );
    expect(render({ compaction })).not.toContain('\u001b');
    expect(render()).not.toContain('compaction');
  });

  test('CLI-2: an idle Pod with a run to take up says so', () => {
    const { phase: _phase, run: _run, ...idle } = STATUS;
    const { out } = new FakeShell().shell;
    const text = renderStatus({ ...idle, state: 'idle', lastOutcome: null }, styleFor(out, {}));
    expect(text).toContain('idle; the last run can be resumed');
    expect(text).toContain('none yet');
  });

  test('CLI-2: names with escape sequences do not reach a terminal', () => {
    expect(render({ cwd: '/w\u001b[2J' })).toContain('cwd        /w[2J\n');
    expect(render({ pod: 'a\u001b[2J\nb', version: '1\u202e\u0007' })).toMatch(
      /^a\\x1b\[2J\\nb {2}pid 42, epoch 3, podd 1\\u\{202e\}\\x07\n/,
    );
  });
});

test('CLI-2: a duration has its two largest units', () => {
  expect([0, 59_999, 3_600_000, 90_061_000].map(describeDuration)).toEqual([
    '0 s',
    '59 s',
    '1 h',
    '1 d 1 h',
  ]);
});
