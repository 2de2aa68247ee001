import { describe, expect, test } from 'vitest';
import { planStep } from '../../../../daemon/model/scripted/plan-step.ts';
import { REPLAY_START, type Replay, replayItem } from '../../../../daemon/model/scripted/replay.ts';
import type { Script } from '../../../../daemon/model/scripted/script.ts';
import type { Item } from '../../../../protocol/items.ts';
import { call, result, said, saidPart, system, thought, user } from '../../../support/items.ts';
import { script } from '../../../support/script.ts';

function replayOf(played: Script, items: readonly Item[]): Replay {
  let replay = REPLAY_START;
  for (const item of items) replay = replayItem(played, replay, item);
  return replay;
}

/** The text of the next step, or the kind of plan. */
function next(played: Script, items: readonly Item[], places: readonly number[] = []): string {
  const plan = planStep(played, replayOf(played, items), new Set(places));
  return plan.kind === 'play' ? `${plan.step.text}@${plan.place}` : plan.kind;
}

const ABC = script('[[steps]]\ntext = "a"\n[[steps]]\ntext = "b"\n[[steps]]\ntext = "c"');

describe('planStep', () => {
  test.each<[string, Item[], string]>([
    ['nothing was answered', [user('x')], 'a@0'],
    ['one answer', [user('x'), said('a'), user('y')], 'b@1'],
    [
      'an answer is reasoning, text and calls',
      [user('x'), thought('h'), said('a'), call('1'), call('2'), result('1'), result('2')],
      'b@1',
    ],
    ['a note ends an answer', [user('x'), said('a'), system('n'), said('b'), user('y')], 'c@2'],
    ['an answer that was cut off is one', [user('x'), saidPart('a')], 'b@1'],
    [
      'the answer right behind one that was cut off is the next',
      [user('x'), saidPart('a'), said('b'), user('y')],
      'c@2',
    ],
    [
      'all steps are played',
      [said('a'), user('x'), said('b'), user('x'), said('c'), user('x')],
      'used_up',
    ],
  ])('PROV-6: %s', (_, items, expected) => {
    expect(next(ABC, items)).toBe(expected);
  });

  const WHEN = script(`
    [[steps]]
    when = "^Error"
    text = "mend"
    [[steps]]
    when = "fine"
    text = "go on"
    [[steps]]
    text = "end"`);

  test('PROV-6: a step that does not match is passed over, and stays so in later replays', () => {
    expect(next(WHEN, [user('fine')])).toBe('go on@1');
    expect(next(WHEN, [user('fine'), said('go on'), user('Error')])).toBe('end@2');
    expect(next(WHEN, [user('odd')])).toBe('end@2');
    expect(next(WHEN, [user('odd'), said('end'), user('fine')])).toBe('used_up');
  });

  test('PROV-6: `when` looks at the last user text or tool result, not at notes or answers', () => {
    expect(next(WHEN, [user('Error'), system('fine')])).toBe('mend@0');
    expect(
      next(WHEN, [user('Error'), said('mend'), user('x'), call('1'), result('1', 'fine')]),
    ).toBe('used_up');
    const afterTool = [user('Error'), said('mend'), call('1'), result('1', 'all fine')];
    expect(next(WHEN, afterTool)).toBe('go on@1');
  });

  test('PROV-6: `when` looks at no more than the first 64 Ki units of a text', () => {
    const one = script('[[steps]]\nwhen = "end$"\ntext = "a"');
    expect(next(one, [user(`${'x'.repeat(64 * 1024 - 3)}end`)])).toBe('a@0');
    expect(next(one, [user(`${'x'.repeat(64 * 1024 - 2)}end`)])).toBe('used_up');
  });

  test('PROV-6: a loop starts over, its places count on', () => {
    const loop = script('loop = true\n[[steps]]\ntext = "a"\n[[steps]]\nwhen = "b"\ntext = "b"');
    const round = [user('x'), said('a')];
    expect(next(loop, [...round, ...round, user('x')])).toBe('a@4');
    expect(next(loop, [...round, user('b')])).toBe('b@1');
  });

  test('PROV-6: a failure comes once, and no answer in the history is taken for it', () => {
    const failing = script(
      '[[steps]]\ntext = "a"\n[[steps]]\nerror = { status = 503 }\n[[steps]]\ntext = "b"',
    );
    const items = [user('x'), said('a'), user('y')];
    expect(next(failing, items)).toBe('@1');
    expect(next(failing, items, [1])).toBe('b@2');
    expect(next(failing, [...items, said('b'), user('z')])).toBe('used_up');
  });

  test('PROV-6: a loop of nothing but failures says when its round is over', () => {
    const broken = script('loop = true\n[[steps]]\nerror = "disconnect"');
    expect(next(broken, [user('x')], [0])).toBe('round_played');
    const never = script('loop = true\n[[steps]]\nwhen = "q"\ntext = "a"');
    expect(next(never, [user('x')])).toBe('used_up');
  });
});

describe('replayItem', () => {
  test('PROV-6: what a script may fill in is read from the history', () => {
    const items = [user('one'), call('call_4_2'), result('call_4_2', 'body'), user('two')];
    const replay = replayOf(ABC, [
      ...items,
      { type: 'tool_result', callId: 'x', summary: 'short' },
    ]);
    expect(replay).toMatchObject({ input: 'two', lastResult: 'short', lastCall: 4 });
    expect(replayOf(ABC, items.slice(0, 3))).toMatchObject({ input: 'one', lastResult: 'body' });
  });
});
