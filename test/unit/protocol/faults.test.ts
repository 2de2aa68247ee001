import { describe, expect, test } from 'vitest';
import { JSON_RPC, RPC_CODES, RUN_FAULTS } from '../../../protocol/faults.ts';

// Written out, so that a number can't move or be given away by an edit of the table alone.
const NUMBERS = {
  already_running: -32000,
  not_running: -32001,
  nothing_to_resume: -32002,
  busy: -32003,
  shutting_down: -32004,
  unknown_session: -32005,
  unknown_entry: -32006,
  unknown_pod: -32007,
  compaction_failed: -32008,
  compaction_thrash: -32009,
  budget_exceeded: -32010,
  conflict: -32011,
  provider_error: -32012,
  prompt_error: -32013,
  hook_aborted: -32014,
  fenced: -32015,
  not_permitted: -32016,
  storage_error: -32017,
  internal: -32018,
};

describe('RPC_CODES', () => {
  test('PROTO-8: a fault keeps its number for ever', () => {
    expect(RPC_CODES).toEqual(NUMBERS);
  });

  test('PROTO-8: numbers are in -32000…-32099 and no two faults share one', () => {
    const numbers = Object.values(RPC_CODES);
    expect(new Set(numbers).size).toBe(numbers.length);
    for (const number of numbers) {
      expect(number).toBeLessThanOrEqual(-32000);
      expect(number).toBeGreaterThanOrEqual(-32099);
    }
  });

  test('PROTO-2: JSON-RPC’s own numbers are its own', () => {
    expect(JSON_RPC).toEqual({
      parseError: -32700,
      invalidRequest: -32600,
      methodNotFound: -32601,
      invalidParams: -32602,
    });
  });

  test('PROTO-8: what a run can fail with is the list of the spec', () => {
    expect([...RUN_FAULTS].sort()).toEqual([
      'budget_exceeded',
      'compaction_failed',
      'compaction_thrash',
      'fenced',
      'hook_aborted',
      'internal',
      'prompt_error',
      'provider_error',
      'storage_error',
    ]);
  });
});
