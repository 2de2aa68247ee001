import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { EVENTS } from '../../../protocol/events.ts';
import { RPC_CODES } from '../../../protocol/faults.ts';
import { METHODS } from '../../../protocol/methods.ts';

type Name = keyof typeof METHODS;
const fits = (method: Name, params: unknown): boolean => v.is(METHODS[method].params, params);

describe('METHODS', () => {
  test('PROTO-3: the methods are exactly these', () => {
    expect(Object.keys(METHODS)).toEqual([
      'Hello',
      'rpc.discover',
      'Run',
      'Resume',
      'Notify',
      'Pause',
      'Cancel',
      'Shutdown',
      'GetStatus',
      'GetHistory',
      'GetUsage',
      'Compact',
      'Subscribe',
      'Unsubscribe',
    ]);
  });

  test('PROTO-3: param fields are camelCase', () => {
    for (const { params } of Object.values(METHODS))
      for (const field of Object.keys(params.entries)) expect(field).toMatch(/^[a-z][a-zA-Z]*$/);
  });

  test('PROTO-8: a method’s own errors have numbers, and none is named twice', () => {
    for (const { errors } of Object.values(METHODS)) {
      expect(new Set(errors).size).toBe(errors.length);
      for (const name of errors) expect(RPC_CODES).toHaveProperty(name);
    }
  });

  test.each<[Name, unknown, boolean]>([
    ['Run', { input: 'x' }, true],
    ['Run', { input: 'x', wait: 'ended' }, true],
    ['Run', { input: 'x', wait: 'accepted' }, true],
    ['Run', {}, false],
    ['Run', { input: '' }, false],
    ['Run', { input: 7 }, false],
    ['Run', { input: 'x', wait: 'never' }, false],
    ['Run', { input: 'x', wiat: 'ended' }, false],
    ['Run', { input: 'x'.repeat(2_000_000) }, true],
    ['Run', { input: 'x'.repeat(2_000_001) }, false],
    ['Run', { input: 'x', inputId: 'a', queue: true, abandonPaused: false }, true],
    ['Run', { input: 'x', inputId: '' }, false],
    ['Run', { input: 'x', inputId: 'a'.repeat(201) }, false],
    ['Run', { input: 'x', queue: 1 }, false],
    ['Notify', { message: 'x', notifyId: 'a', from: 'b' }, true],
    ['Notify', { message: '' }, false],
    ['Notify', { message: 'x'.repeat(16_001) }, false],
    ['Notify', { message: 'x', from: '' }, false],
    ['Hello', {}, true],
    ['Hello', { protocol: 1, client: 'me/1' }, true],
    ['Hello', { protocol: 'one' }, false],
    ['Cancel', { clearQueue: true }, true],
    ['Resume', {}, true],
    ['Resume', { requestId: 'a' }, true],
    ['Resume', { input: 'x' }, false],
    ['Cancel', {}, true],
    ['Cancel', { runId: 'r' }, false],
    ['Shutdown', { mode: 'graceful', deadlineMs: 0 }, true],
    ['Shutdown', { mode: 'soon' }, false],
    ['Shutdown', { deadlineMs: -1 }, false],
    ['Shutdown', { deadlineMs: 0.5 }, false],
    ['Shutdown', { deadlineMs: 86_400_001 }, false],
    ['GetHistory', { from: 0, limit: 500 }, true],
    ['GetHistory', { limit: 0 }, false],
    ['GetHistory', { limit: 501 }, false],
    ['GetHistory', { from: -1 }, false],
    ['GetHistory', { from: 0.5 }, false],
    ['Subscribe', { after: { epoch: 1, seq: 0 }, events: ['state'] }, true],
    ['Subscribe', { events: [] }, true],
    ['Subscribe', { events: ['mesage'] }, false],
    ['Subscribe', { after: { epoch: 1 } }, false],
    ['Subscribe', { after: { epoch: 1, seq: 1, more: 1 } }, false],
    ['GetStatus', { verbose: true }, false],
    ['Unsubscribe', { constructor: 1 }, false],
  ])('PROTO-2: params of %s are judged: %#', (method, params, expected) => {
    expect(fits(method, params)).toBe(expected);
  });

  test('INV-12: a list of events is refused by its length before its members are looked at', () => {
    const events = Array<string>(Object.keys(EVENTS).length + 1).fill('mesage');
    const parsed = v.safeParse(METHODS.Subscribe.params, { events });
    expect(parsed.issues).toHaveLength(1);
  });
});
