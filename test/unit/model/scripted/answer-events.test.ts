import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  answerBytes,
  answerEvents,
  brokenEvents,
  fillAnswer,
  splitUtf8,
} from '../../../../daemon/model/scripted/answer-events.ts';
import { script } from '../../../support/script.ts';

const VALUES = { cwd: '/w', input: '', lastResult: '', env: {} };

function answerOf(text: string) {
  const [step] = script(text).steps;
  if (step === undefined) throw new TypeError('a script has a step');
  return fillAnswer(step, VALUES, 7);
}

describe('splitUtf8', () => {
  test('PROV-6: pieces join to the whole, cut no code point and keep to their size', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 9 }), (text, most) => {
        const pieces = [...splitUtf8(text, most)];
        expect(pieces.join('')).toBe(text);
        for (const piece of pieces) {
          expect(piece.isWellFormed()).toBe(true);
          if (Buffer.byteLength(piece) > most) expect(Array.from(piece)).toHaveLength(1);
        }
      }),
    );
  });
});

describe('fillAnswer', () => {
  test('PROV-6: calls are numbered by answer and place, and filled in depth', () => {
    const { calls } = answerOf(`[[steps]]
      tool_calls = [{ name = "A" }, { name = "B", arguments = { p = ["{{cwd}}/x"] } }]`);
    expect(calls).toEqual([
      { callId: 'call_7_1', name: 'A', arguments: '{}' },
      { callId: 'call_7_2', name: 'B', arguments: '{"p":["/w/x"]}' },
    ]);
  });

  test('PROV-6: a text that fills to nothing still leaves an answer', () => {
    expect(answerOf('[[steps]]\ntext = "{{last_result}}"').text).toBe('(empty)');
  });
});

describe('answerEvents', () => {
  const answer = answerOf(`[[steps]]
    reasoning = "hm"
    text = "abcä"
    tool_calls = [{ name = "A", arguments = { x = 1 } }]`);

  test('PROV-1: reasoning, text and calls come as numbered blocks', () => {
    expect([...answerEvents(answer, null)]).toEqual([
      { kind: 'reasoningStarted', block: 0 },
      { kind: 'delta', block: 0, text: 'hm' },
      { kind: 'blockEnded', block: 0 },
      { kind: 'textStarted', block: 1 },
      { kind: 'delta', block: 1, text: 'abcä' },
      { kind: 'blockEnded', block: 1 },
      { kind: 'callStarted', block: 2, callId: 'call_7_1', name: 'A' },
      { kind: 'delta', block: 2, text: '{"x":1}' },
      { kind: 'blockEnded', block: 2 },
    ]);
  });

  test('PROV-6: an answer that breaks off gives its first half, in any piece size', () => {
    for (const chunk of [null, 1, 3, 1000]) {
      const events = [...brokenEvents(answer, chunk)];
      const whole = [...answerEvents(answer, chunk)];
      expect(events.length).toBeGreaterThan(0);
      if (chunk !== 1000) expect(events.length).toBeLessThan(whole.length);
    }
    expect([...brokenEvents(answerOf('[[steps]]\ntext = "abcd"'), null)]).toEqual([
      { kind: 'textStarted', block: 0 },
      { kind: 'delta', block: 0, text: 'ab' },
    ]);
    expect(answerBytes(answer)).toBe(2 + 5 + 1 + 7);
  });
});
