import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RunView } from '../../../../../client/podctl/render/run-view.ts';
import { styleFor } from '../../../../../client/podctl/render/style.ts';
import type { PodEventBody } from '../../../../../protocol/events.ts';
import { FakeShell } from '../../../../support/fake-shell.ts';
import { delta, done, numbered } from '../../../../support/pod-events.ts';

function draw(terminal: boolean, ...bodies: readonly PodEventBody[]): FakeShell {
  const fake = new FakeShell({ terminal });
  const { out, err } = fake.shell;
  const env = { NO_COLOR: '1' };
  const view = new RunView({
    out,
    err,
    outStyle: styleFor(out, env),
    errStyle: styleFor(err, env),
  });
  for (const event of numbered(...bodies)) view.show(event);
  view.endLine();
  return fake;
}

const call = (name: string, json: string): PodEventBody => ({
  event: 'tool_call_done',
  data: { block: 9, callId: 'c', name, arguments: json },
});
const result = (summary: string, isError: boolean): PodEventBody => ({
  event: 'tool_result',
  data: { callId: 'c', name: 'Read', summary, isError },
});

describe('RunView', () => {
  test('PROTO-10: whichever deltas are dropped, the text is shown once and whole', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string({ minLength: 1 }), fc.boolean())), (pieces) => {
        const text = pieces.map(([piece]) => piece).join('');
        let offset = 0;
        const sent: PodEventBody[] = [];
        for (const [piece, arrives] of pieces) {
          if (arrives) sent.push(delta(1, offset, piece));
          offset += piece.length;
        }
        const line = text === '' || text.endsWith('\n') ? text : `${text}\n`;
        expect(draw(false, ...sent, done(1, text)).outText).toBe(line);
      }),
    );
  });

  test('CLI-2: a text is on the screen as soon as its piece came', () => {
    const fake = new FakeShell();
    const { out, err } = fake.shell;
    const style = styleFor(out, {});
    const view = new RunView({ out, err, outStyle: style, errStyle: style });
    for (const event of numbered(delta(1, 0, 'half a '))) view.show(event);
    expect(fake.outText).toBe('half a ');
  });

  test('CLI-2: a call is one line with its main argument, its result one line below, both on stderr', () => {
    const { outText, errText } = draw(
      false,
      call('Read', '{"limit":3,"file_path":"/a b/c.js"}'),
      result('Read /a b/c.js: lines 1-3 of 3\nand more', false),
      call('List', '{}'),
      result('no', true),
      call('Broken', '{"a'),
    );
    expect(outText).toBe('');
    expect(errText).toBe(
      '→ Read /a b/c.js\n  Read /a b/c.js: lines 1-3 of 3 and more\n→ List\n  ✗ no\n→ Broken\n',
    );
  });

  test('CLI-2: a retry says so, and the new attempt is shown whole', () => {
    const retry: PodEventBody = {
      event: 'retry',
      data: { attempt: 1, delayMs: 5, reason: 'disconnect', discarded: [1] },
    };
    const { outText, errText } = draw(
      false,
      delta(1, 0, 'hal'),
      retry,
      delta(2, 0, 'half'),
      done(2, 'half'),
    );
    expect(outText).toBe('hal\nhalf\n');
    expect(errText).toContain('disconnect');
  });

  test('CLI-2: a compaction is told at its begin and its end, on stderr, with what it came to', () => {
    const { outText, errText } = draw(
      true,
      delta(1, 0, 'half'),
      { event: 'compaction_start', data: { sessionId: 's1' } },
      {
        event: 'compaction_done',
        data: { from: 's1', sessionId: 's2', tokensBefore: 31_200, tokensAfter: 9_400 },
      },
      { event: 'session_changed', data: { from: 's1', sessionId: 's2', reason: 'compacted' } },
    );
    expect(outText).toBe('half\n');
    expect(errText).toBe('compacting …\ncompacted: 31,200 → 9,400 tokens\n');
  });

  test.each([
    [false, ''],
    [true, '; nothing is compacted by itself until podctl compact succeeds'],
  ])('CLI-2: a compaction that fails says why, and what comes of it: %j', (disabled, says) => {
    const data = {
      message: 'no\u001b[2J\nsummary',
      cause: 'summary_missing',
      failures: 3,
      disabled,
    };
    expect(draw(true, { event: 'compaction_failed', data }).errText).toBe(
      `! the compaction failed: no[2J summary${says}\n`,
    );
  });

  test('CLI-2: escape sequences of a model do not reach a terminal, and stay whole in a pipe', () => {
    const text = 'a\u001b[2Jb\u009b1mc\td\r';
    expect(draw(true, delta(1, 0, text), done(1, text)).outText).toBe('a[2Jb1mc\td\n');
    expect(draw(false, done(1, text)).outText).toBe(`${text}\n`);
    expect(draw(true, call('Read', '{"p":"\\u001b]0;x\\u0007y"}')).errText).toBe('→ Read ]0;xy\n');
  });

  test('CLI-2: on a screen a note begins a line of its own; in a pipe the text is not broken', () => {
    const note: PodEventBody = {
      event: 'notification',
      data: { level: 'warn', source: 'pod', message: 'slow disk' },
    };
    const events = [delta(1, 0, 'ab'), note, delta(1, 2, 'cd'), done(1, 'abcd')];
    expect(draw(true, ...events).outText).toBe('ab\ncd\n');
    expect(draw(false, ...events).outText).toBe('abcd\n');
    expect(draw(false, ...events).errText).toBe('! slow disk\n');
  });
});
