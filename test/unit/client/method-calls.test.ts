import { expect, test } from 'vitest';
import { CLIENT_LIMITS } from '../../../client/limits.ts';
import { createMethodCalls } from '../../../client/method-calls.ts';
import type { RequestLimits } from '../../../client/pod-client.ts';

test('CLI-1 INV-6: each call has the deadline of its method, a run that is waited for and a compaction have none, and the caller’s goes first', async () => {
  const asked: [string, RequestLimits][] = [];
  const calls = createMethodCalls((method, _params, limits) => {
    asked.push([method, limits]);
    return Promise.reject(new Error('nobody is here'));
  });
  const { answerMs, acceptMs, cancelMs, stopNowMs, stopGracefulMs } = CLIENT_LIMITS;
  await Promise.allSettled([
    calls.run({ input: 'x' }),
    calls.run({ input: 'x', wait: 'accepted' }),
    calls.resume(),
    calls.compact(),
    calls.getUsage(),
    calls.cancel(),
    calls.shutdown(),
    calls.shutdown({ mode: 'graceful' }),
    calls.discover(),
    calls.notify({ message: 'x' }, { deadlineMs: 5 }),
  ]);
  expect(asked).toEqual([
    ['Run', {}],
    ['Run', { deadlineMs: acceptMs }],
    ['Resume', {}],
    ['Compact', {}],
    ['GetUsage', { deadlineMs: answerMs }],
    ['Cancel', { deadlineMs: cancelMs }],
    ['Shutdown', { deadlineMs: stopNowMs }],
    ['Shutdown', { deadlineMs: stopGracefulMs }],
    ['rpc.discover', { deadlineMs: answerMs }],
    ['Notify', { deadlineMs: 5 }],
  ]);
});
