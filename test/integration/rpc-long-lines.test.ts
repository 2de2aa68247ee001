import { afterEach, expect, test, vi } from 'vitest';
import { LIMITS } from '../../daemon/core/limits.ts';
import { rpcBench } from '../support/rpc-bench.ts';

const LONG = 'x'.repeat(LIMITS.shortLineBytes + 64 * 1024);

afterEach(() => {
  vi.useRealTimers();
});

test('INV-12 INV-6: so many long lines are held at a time; the next one waits, short ones do not, and none is held for ever', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  await using bench = await rpcBench();
  const settle = async (): Promise<void> => {
    for (let turns = 0; turns < 200; turns += 1)
      await new Promise((resolve) => setImmediate(resolve));
  };
  const holders = await Promise.all(Array.from({ length: LIMITS.longLines }, () => bench.client()));
  for (const holder of holders) {
    holder.send(`{"id":1,"method":"${LONG}`);
    await settle();
  }
  using waits = await bench.client();
  waits.send(`{"id":2,"method":"${LONG}"}\n`);
  await settle();
  expect(waits.lines).toEqual([]);
  using short = await bench.client();
  short.send('{"id":3,"method":"GetStatus"}\n');
  await settle();
  expect(short.answers).toMatchObject([{ id: 3, result: {} }]);

  await vi.advanceTimersByTimeAsync(LIMITS.longLineMs + 1);
  await settle();
  for (const holder of holders)
    expect(holder.answers).toMatchObject([{ id: null, error: { code: -32600 } }]);
  expect(waits.answers).toMatchObject([{ id: 2, error: { code: -32601 } }]);
  for (const holder of holders) holder[Symbol.dispose]();
  vi.useRealTimers();
});
