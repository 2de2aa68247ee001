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
        '  occupancy  900 of 1000 tokens (no data)',
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
