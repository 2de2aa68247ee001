import { describe, expect, test } from 'vitest';
import type { Item } from '../../../protocol/items.ts';
import { CheckedItems } from '../../../daemon/core/checked-items.ts';
import { LIMITS } from '../../../daemon/core/limits.ts';
import { checkRequest, type CheckableRequest } from '../../../daemon/core/request-check.ts';
import { call, result, said, system, thought, user } from '../../support/items.ts';

const SHAPE = { provider: 'p', model: 'm' };

function request(items: readonly Item[], more: Partial<CheckableRequest> = {}): CheckableRequest {
  return { systemPrompt: 's', tools: [], items, ...more };
}

function problems(
  items: readonly Item[],
  shape: Partial<typeof SHAPE & object> = {},
): readonly string[] {
  const checked = checkRequest(request(items), { ...SHAPE, ...shape });
  return checked.ok ? [] : checked.error;
}

const tool = (name: string, type = 'object') => ({ name, description: '', parameters: { type } });

describe('checkRequest', () => {
  test('INV-5: a whole conversation passes', () => {
    const items = [
      user('go'),
      thought('hm'),
      said('on it'),
      call('a'),
      call('b'),
      result('b'),
      result('a'),
      system('a note'),
      said('done'),
      user('thanks'),
    ];
    expect(problems(items)).toEqual([]);
  });

  test.each<[string, Item[], string]>([
    ['no items', [], 'there is nothing to answer'],
    ['a call without a result', [user('x'), call('a')], 'call a has no result'],
    [
      'a user between call and result',
      [user('x'), call('a'), user('y'), result('a')],
      'item 2: it stands between a call and its result (a)',
    ],
    [
      'an answer between two results',
      [call('a'), call('b'), result('a'), said('x'), result('b')],
      'item 3: it stands between a call and its result (b)',
    ],
    [
      'a result without a call',
      [user('x'), result('a')],
      'item 1: a result for a, which is not waiting for one',
    ],
    [
      'a result before its call',
      [result('a'), call('a')],
      'item 0: a result for a, which is not waiting for one',
    ],
    [
      'two results of a call',
      [call('a'), result('a'), result('a')],
      'item 2: a result for a, which is not waiting for one',
    ],
    [
      'a call id used twice',
      [call('a'), result('a'), call('a'), result('a')],
      'item 2: call a is not the first',
    ],
    [
      'null as arguments',
      [call('a', 'null'), result('a')],
      'item 0: the arguments are not a JSON object',
    ],
    ['no arguments', [call('a', ''), result('a')], 'item 0: the arguments are not a JSON object'],
    [
      'a list as arguments',
      [call('a', '[]'), result('a')],
      'item 0: the arguments are not a JSON object',
    ],
    [
      'half of an object',
      [call('a', '{"x":'), result('a')],
      'item 0: the arguments are not a JSON object',
    ],
    [
      'a tool name with a blank',
      [{ ...call('a'), name: 'Re ad' }, result('a')],
      'item 0: the name of the tool is not legal',
    ],
    ['a call without an id', [call(''), result('')], 'item 0: the id of the call is not legal'],
    ['an id with a dot', [call('a.b'), result('a.b')], 'item 0: the id of the call is not legal'],
    ['an empty text block', [user('')], 'item 0: it has an empty text block'],
    ['a blank text block', [user(' \n')], 'item 0: it has an empty text block'],
    ['a message without blocks', [{ ...user(''), content: [] }], 'item 0: the message is empty'],
    [
      'an empty result',
      [call('a'), { type: 'tool_result', callId: 'a', summary: '' }],
      'item 1: the result is empty',
    ],
    [
      'empty reasoning',
      [thought(''), said('x')],
      'item 0: the reasoning is empty, or not of this model',
    ],
    [
      'reasoning of another model',
      [
        { type: 'reasoning', text: 'x', opaque: { provider: 'p', model: 'other', data: 1 } },
        said('x'),
      ],
      'item 0: the reasoning is empty, or not of this model',
    ],
    [
      'reasoning that nothing follows',
      [thought('x'), user('y')],
      'item 1: the reasoning before it has no answer',
    ],
    [
      'reasoning at the end',
      [user('y'), thought('x')],
      'the last item is reasoning without an answer',
    ],
  ])('INV-5: %s is refused', (_, items, says) => {
    expect(problems(items)).toContain(says);
  });

  test('INV-5: a role that is none is refused', () => {
    const odd = { ...user('x'), role: 'tool' } as unknown as Item;
    expect(problems([odd])).toContain('item 0: its role is not legal');
  });

  test('INV-5: what a provider wants of roles is looked at only where it wants it', () => {
    const items = [said('x'), user('y'), user('z')];
    expect(problems(items)).toEqual([]);
    const strict = checkRequest(request(items), { ...SHAPE, userFirst: true, mergeRoles: true });
    expect(strict).toEqual({
      ok: false,
      error: [
        'item 0: the first item is not a user message',
        'item 2: a second user message in a row',
      ],
    });
  });

  test('LOOP-8 INV-5: tools are unique, sorted and described by an object', () => {
    const check = (...tools: CheckableRequest['tools']) =>
      checkRequest(request([user('x')], { tools }), SHAPE);
    expect(check(tool('Edit'), tool('Read')).ok).toBe(true);
    expect(check(tool('Read'), tool('Edit')).ok).toBe(false);
    expect(check(tool('Read'), tool('Read')).ok).toBe(false);
    expect(check(tool('Read', 'string')).ok).toBe(false);
  });

  test('INV-5: a request over the size limit is refused, one at the limit passes', () => {
    const text = 'x'.repeat(LIMITS.requestBytes - 's'.length - '[]'.length);
    expect(checkRequest(request([user(text)]), SHAPE).ok).toBe(true);
    const over = checkRequest(request([user(`${text}x`)]), SHAPE);
    expect(over.ok ? [] : over.error).toEqual([
      `the request has ${LIMITS.requestBytes + 1} bytes, at most ${LIMITS.requestBytes} may be sent`,
    ]);
  });

  test('INV-5: a kept check says of each history what a fresh one says', () => {
    const kept = new CheckedItems(SHAPE);
    const [a, b, c] = [user('x'), call('a'), result('a')];
    const histories: Item[][] = [
      [a],
      [a, b],
      [a, b, c],
      [a, b, c, c],
      [a, b, c],
      [b, c],
      [a, c],
      [],
    ];
    for (const items of histories)
      expect(checkRequest(request(items), SHAPE, kept)).toEqual(
        checkRequest(request(items), SHAPE),
      );
  });
});
