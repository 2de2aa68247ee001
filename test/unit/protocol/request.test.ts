import { describe, expect, test } from 'vitest';
import { BATCH_MEMBERS_MAX, ID_UNITS_MAX, readIncoming } from '../../../protocol/request.ts';

const request = (id: unknown, method: string, params?: unknown) => ({
  kind: 'request',
  request: { id, method, params },
});
const invalid = (id: unknown) => ({ kind: 'invalid', id, says: expect.any(String) as string });

describe('readIncoming', () => {
  test.each([
    ['a whole request', '{"jsonrpc":"2.0","id":1,"method":"M","params":{"a":1}}', 1, { a: 1 }],
    ['a missing jsonrpc', '{"id":1,"method":"M"}', 1, undefined],
    ['a string id', '{"id":"a","method":"M"}', 'a', undefined],
    ['the empty id', '{"id":"","method":"M"}', '', undefined],
    ['id 0', '{"id":0,"method":"M"}', 0, undefined],
    ['a fraction as id', '{"id":-1.5,"method":"M"}', -1.5, undefined],
    ['id null', '{"id":null,"method":"M"}', null, undefined],
    ['no id: a notification', '{"method":"M"}', undefined, undefined],
    ['params null', '{"id":1,"method":"M","params":null}', 1, null],
    ['params an array', '{"id":1,"method":"M","params":[1]}', 1, [1]],
    ['a key that JSON-RPC does not know', '{"id":1,"method":"M","extra":1}', 1, undefined],
    ['a key named __proto__', '{"id":1,"method":"M","__proto__":{"id":2}}', 1, undefined],
  ])('PROTO-14, PROTO-2: %s is a request', (_name, json, id, params) => {
    expect(readIncoming(JSON.parse(json))).toEqual({
      kind: 'single',
      member: request(id, 'M', params),
    });
  });

  test.each([
    ['a number', '1', null],
    ['a string', '"Run"', null],
    ['null', 'null', null],
    ['true', 'true', null],
    ['an empty object', '{}', null],
    ['no method', '{"id":7}', 7],
    ['a method that is no string', '{"id":7,"method":1}', 7],
    ['jsonrpc 1.0', '{"jsonrpc":"1.0","id":7,"method":"M"}', 7],
    ['jsonrpc as a number', '{"jsonrpc":2.0,"id":7,"method":"M"}', 7],
    ['jsonrpc null', '{"jsonrpc":null,"id":7,"method":"M"}', 7],
    ['an id that is an object', '{"id":{},"method":"M"}', null],
    ['an id that is an array', '{"id":[1],"method":"M"}', null],
    ['an id that is true', '{"id":true,"method":"M"}', null],
    ['an id beyond all numbers', '{"id":1e400,"method":"M"}', null],
    ['a method only in its prototype', '{"id":7,"__proto__":{"method":"M"}}', 7],
  ])('PROTO-2: %s is no request, and the answer names its id where it has one', (_n, json, id) => {
    expect(readIncoming(JSON.parse(json))).toEqual({ kind: 'single', member: invalid(id) });
  });

  test('INV-12: an id of the limit is kept, a longer one is refused', () => {
    const id = 'x'.repeat(ID_UNITS_MAX);
    expect(readIncoming({ id, method: 'M' })).toMatchObject({ member: { kind: 'request' } });
    expect(readIncoming({ id: `${id}x`, method: 'M' })).toEqual({
      kind: 'single',
      member: invalid(null),
    });
  });

  test('PROTO-2: an empty batch is refused', () => {
    expect(readIncoming([])).toMatchObject({ kind: 'refused' });
  });

  test('PROTO-2: a batch of 100 members is taken apart, one of 101 is refused', () => {
    expect(BATCH_MEMBERS_MAX).toBe(100);
    const member = { id: 1, method: 'M' };
    expect(readIncoming(Array(100).fill(member))).toEqual({
      kind: 'batch',
      members: Array(100).fill(request(1, 'M')),
    });
    expect(readIncoming(Array(101).fill(member))).toMatchObject({ kind: 'refused' });
  });

  test('PROTO-2: each member of a batch is judged alone, in its place', () => {
    const members = [{ id: 1, method: 'A' }, 1, [], { method: 'B' }, null, { id: 2 }];
    expect(readIncoming(members)).toEqual({
      kind: 'batch',
      members: [
        request(1, 'A'),
        invalid(null),
        invalid(null),
        request(undefined, 'B'),
        invalid(null),
        invalid(2),
      ],
    });
  });
});
