import { afterEach, describe, expect, test, vi } from 'vitest';
import { Fault } from '../../../daemon/core/fault.ts';
import { LIMITS } from '../../../daemon/core/limits.ts';
import { readLog } from '../../../daemon/pod/read-log.ts';
import { deferred } from '../../../daemon/support/deferred.ts';
import { Semaphore } from '../../../daemon/support/semaphore.ts';

const NEVER = new AbortController().signal;

afterEach(() => {
  vi.useRealTimers();
});

describe('readLog', () => {
  test('INV-12: two look at older sessions at once, others wait their turn (logReads)', async () => {
    const places = new Semaphore(LIMITS.logReads);
    const ends = [deferred<number>(), deferred<number>(), deferred<number>()];
    let begun = 0;
    const reads = ends.map(({ promise }) =>
      readLog(places, NEVER, () => {
        begun += 1;
        return promise;
      }),
    );
    await vi.waitUntil(() => begun === LIMITS.logReads);
    ends[0]?.resolve(1);
    expect(await reads[0]).toBe(1);
    await vi.waitUntil(() => begun === 3);
    ends[1]?.resolve(2);
    ends[2]?.resolve(3);
    expect(await Promise.all(reads)).toEqual([1, 2, 3]);
  });

  test('INV-6: a disk that hangs is a storage_error after its deadline', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const places = new Semaphore(LIMITS.logReads);
    let isBegun = false;
    const read = readLog(places, NEVER, () => {
      isBegun = true;
      return new Promise<never>(() => undefined);
    });
    const failed = expect(read).rejects.toMatchObject({ code: 'storage_error' });
    await vi.waitUntil(() => isBegun);
    // The abandoning has a timer of its own.
    await vi.advanceTimersByTimeAsync(LIMITS.readLogMs + 1);
    await failed;
  });

  test('PROTO-8: a session that is not there is told as such, a Pod that stops as that', async () => {
    const places = new Semaphore(LIMITS.logReads);
    const none = new Fault('unknown_session', 'none');
    await expect(readLog(places, NEVER, () => Promise.reject(none))).rejects.toBe(none);
    const stopped = AbortSignal.abort();
    await expect(readLog(places, stopped, () => Promise.resolve(1))).rejects.toMatchObject({
      code: 'shutting_down',
    });
  });
});
