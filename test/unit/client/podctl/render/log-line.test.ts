import { expect, test } from 'vitest';
import { renderLogLine } from '../../../../../client/podctl/render/log-line.ts';
import { styleFor } from '../../../../../client/podctl/render/style.ts';
import { FakeShell } from '../../../../support/fake-shell.ts';

const plain = styleFor(new FakeShell().shell.out, {});
const colours = styleFor(new FakeShell({ terminal: true }).shell.out, {});

test.each([
  [
    { level: 30, time: 0, pod: 'p', pid: 1, msg: 'a run began', runId: 'r', n: 2 },
    '1970-01-01 00:00:00.000 INFO  a run began runId="r" n=2',
  ],
  [
    { level: 50, time: 1, msg: 'it failed', err: { message: 'why', stack: 'at …' } },
    '1970-01-01 00:00:00.001 ERROR it failed err="why"',
  ],
  [{ level: 35, time: 'x', msg: 5 }, '1970-01-01 00:00:00.000       '],
  [{ time: 1e300 }, '1970-01-01 00:00:00.000       '],
])('CLI-2: %o is one line that people read', (fields, line) => {
  expect(renderLogLine(JSON.stringify(fields), plain)).toBe(line);
});

test('CLI-2: what is no line of a log is shown as it is, and moves no terminal', () => {
  expect(renderLogLine('half a li', plain)).toBe('half a li');
  expect(renderLogLine('null', plain)).toBe('null');
  expect(renderLogLine('\u001b[2J[]', colours)).toBe('\\x1b[2J[]');
  const hostile = { level: 30, msg: 'a\u001b]0;x\u0007\r\nb', ['\u202ekey']: '\u009b2J' };
  const shown = renderLogLine(JSON.stringify(hostile), plain);
  expect(shown).toMatch(/INFO {2}a\\x1b\]0;x\\x07\\r\\nb \\u\{202e\}key="\\x9b2J"$/);
});

test('CLI-2: colours are for terminals', () => {
  expect(renderLogLine('{"level":50,"msg":"m"}', colours)).toContain('\u001b[31mERROR\u001b[39m');
});
