import { expect, test } from 'vitest';
import { RPC_CODES } from '../../../protocol/faults.ts';
import { Fault, isRpcFault, RPC_FAULTS, START_FAULTS } from '../../../daemon/core/fault.ts';
import { toRpcError } from '../../../daemon/rpc/to-rpc-error.ts';

test('PROTO-8: every fault has one number in the range of its own, and every number a fault', () => {
  expect(Object.keys(RPC_FAULTS).sort()).toEqual(Object.keys(RPC_CODES).sort());
  const numbers = Object.values(RPC_CODES);
  expect(new Set(numbers).size).toBe(numbers.length);
  for (const number of numbers) {
    expect(number).toBeLessThanOrEqual(-32000);
    expect(number).toBeGreaterThanOrEqual(-32099);
  }
});

test('PROTO-8: a fault leaves with its name, its number and whether trying again helps', () => {
  for (const code of Object.keys(RPC_CODES) as (keyof typeof RPC_CODES)[])
    expect(toRpcError(new Fault(code, 'why', { data: { runId: 'r' } }))).toEqual({
      code: RPC_CODES[code],
      message: 'why',
      data: { code, retryable: RPC_FAULTS[code].retryable, runId: 'r' },
    });
});

test('PROTO-8: what is no fault, or a fault of the start, leaves as internal with no text of its own', () => {
  const start = Object.keys(START_FAULTS)[0] as keyof typeof START_FAULTS;
  expect(isRpcFault(start)).toBe(false);
  for (const error of [new Error('/secret/path'), new Fault(start, '/secret/path'), 'text', null]) {
    const body = toRpcError(error);
    expect(body.data.code).toBe('internal');
    expect(body.message).not.toContain('secret');
  }
});
