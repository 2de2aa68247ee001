import { describe, expect, test } from 'vitest';
import type { RequestShape } from '../../../daemon/core/checked-items.ts';
import { buildRequestItems } from '../../../daemon/core/request-items.ts';
import type { Item } from '../../../protocol/items.ts';
import { call, result, said, saidPart, system, thought, user } from '../../support/items.ts';

const SHAPE: RequestShape = { provider: 'p', model: 'm' };

const missing = (callId: string): Item => ({
  type: 'tool_result',
  callId,
  summary: 'no result was recorded',
  isError: true,
});
const signed = (provider: string, model: string): Item => ({
  type: 'reasoning',
  text: 'hm',
  opaque: { provider, model, data: 'sig' },
});

describe('buildRequestItems', () => {
  test('ITEM-2: a valid history is answered as it is, the same array', () => {
    const history = [user('go'), thought('hm'), call('a'), result('a'), said('done'), user('x')];
    expect(buildRequestItems(history, SHAPE)).toBe(history);
  });

  test.each<[string, Item[], Item[]]>([
    [
      'a call without a result gets one',
      [user('x'), call('a')],
      [user('x'), call('a'), missing('a')],
    ],
    [
      'a crash between two calls of a turn',
      [call('a'), call('b'), result('b'), user('x')],
      [call('a'), call('b'), missing('a'), result('b'), user('x')],
    ],
    ['a result of nothing is dropped', [user('x'), result('a')], [user('x')]],
    [
      'a result before its call is dropped',
      [result('a'), call('a'), user('x')],
      [call('a'), missing('a'), user('x')],
    ],
    [
      'the first of two results stays',
      [call('a'), result('a', '1'), result('a', '2')],
      [call('a'), result('a', '1')],
    ],
    [
      'a late result moves to its call',
      [call('a'), user('x'), result('a')],
      [call('a'), result('a'), user('x')],
    ],
    [
      'results stand in the order of the calls',
      [call('a'), call('b'), user('x'), result('b'), result('a')],
      [call('a'), call('b'), result('a'), result('b'), user('x')],
    ],
    ['a call told twice is one', [call('a'), call('a'), result('a')], [call('a'), result('a')]],
    [
      'an id used again gets a name of its own',
      [call('a'), result('a', '1'), call('a'), result('a', '2')],
      [call('a'), result('a', '1'), call('a_2'), { ...result('a', '2'), callId: 'a_2' }],
    ],
    ['no arguments are an object', [call('a', ''), result('a')], [call('a'), result('a')]],
    ['null arguments are an object', [call('a', 'null'), result('a')], [call('a'), result('a')]],
    [
      'a list as arguments becomes an object',
      [call('a', '[1]'), result('a')],
      [call('a'), result('a')],
    ],
    ['half an object becomes one', [call('a', '{"x'), result('a')], [call('a'), result('a')]],
    [
      'a tool name that is none is mended',
      [{ ...call('a'), name: 'mcp:do it' }, result('a')],
      [{ ...call('a'), name: 'mcp_do_it' }, result('a')],
    ],
    ['an empty message is dropped', [user('x'), said(''), user('y')], [user('x'), user('y')]],
    [
      'an empty result says so',
      [call('a'), { type: 'tool_result', callId: 'a', summary: '' }],
      [call('a'), { type: 'tool_result', callId: 'a', summary: '(no output)' }],
    ],
    [
      'reasoning of a cut answer is dropped',
      [user('x'), thought('hm'), user('y')],
      [user('x'), user('y')],
    ],
  ])('ITEM-2: %s', (_, history, expected) => {
    expect(buildRequestItems(history, SHAPE)).toEqual(expected);
  });

  test('ITEM-2: an empty block goes, the rest of its message stays', () => {
    const message: Item = {
      type: 'message',
      role: 'user',
      content: [
        { type: 'text', text: '' },
        { type: 'text', text: 'x' },
      ],
    };
    expect(buildRequestItems([message], SHAPE)).toEqual([user('x')]);
  });

  test('PROV-11: reasoning with a signature goes to its own provider and model only', () => {
    const history = [signed('p', 'm'), signed('p', 'other'), signed('other', 'm'), said('x')];
    expect(buildRequestItems(history, SHAPE)).toEqual([signed('p', 'm'), said('x')]);
  });

  test('ITEM-2: where a provider wants a user first, one is put there and nothing is lost', () => {
    const history = [call('a'), result('a'), said('x')];
    const items = buildRequestItems(history, { ...SHAPE, userFirst: true });
    expect(items[0]).toMatchObject({ type: 'message', role: 'user' });
    expect(items.slice(1)).toEqual(history);
    const asked = [system('s'), said('x')];
    expect(buildRequestItems(asked, { ...SHAPE, userFirst: true })).toBe(asked);
  });

  test('ITEM-2: where a provider wants roles to alternate, messages of one role become one', () => {
    const items = buildRequestItems([user('x'), user('y'), saidPart('a'), said('b')], {
      ...SHAPE,
      mergeRoles: true,
    });
    expect(items).toEqual([
      { type: 'message', role: 'user', content: [...user('x').content, ...user('y').content] },
      {
        type: 'message',
        role: 'assistant',
        content: [...said('a').content, ...said('b').content],
        status: 'incomplete',
      },
    ]);
  });
});
