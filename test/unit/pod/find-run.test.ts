import { afterEach, describe, expect, test, vi } from 'vitest';
import type { SessionEntry } from '../../../daemon/core/entry.ts';
import { runId, sessionId } from '../../../daemon/core/ids.ts';
import { LIMITS } from '../../../daemon/core/limits.ts';
import { findRun } from '../../../daemon/pod/find-run.ts';
import type { StoredRunEnd } from '../../../daemon/ports/journal.ts';

const run = { runId: runId('r'), sessionId: sessionId('s') };
const never = new AbortController().signal;
const ended = (how: object): StoredRunEnd => ({
  end: { kind: 'run_outcome', at: 1, runId: run.runId, interrupted: true, ...how } as Extract<
    SessionEntry,
    { kind: 'run_outcome' }
  >,
  continuedBy: null,
});
const find = (answer: () => Promise<StoredRunEnd>) => findRun({ runEnd: answer }, run, never);

afterEach(() => {
  vi.useRealTimers();
});

describe('findRun', () => {
  test.each([
    [{ outcome: 'error', error: { code: 'provider_error', message: 'm' } }, 'provider_error'],
    [{ outcome: 'error', error: { code: 'of_another_version', message: 'm' } }, 'internal'],
  ])('PROTO-17 PROTO-8: a run that failed is the same failure again: %o', async (how, code) => {
    await expect(find(() => Promise.resolve(ended(how)))).resolves.toMatchObject({
      kind: 'failed',
      fault: { code, data: { runId: 'r' } },
    });
  });

  test('PROTO-17: a log that can not be read is told as that, not as a run that is not there', async () => {
    await expect(find(() => Promise.reject(new Error('EIO')))).resolves.toMatchObject({
      kind: 'failed',
      fault: { code: 'storage_error', data: { runId: 'r' } },
    });
  });

  test('INV-6: a disk that does not answer is given up', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const found = find(() => new Promise<never>(() => undefined));
    await vi.advanceTimersByTimeAsync(LIMITS.readLogMs + 1);
    await expect(found).resolves.toMatchObject({
      kind: 'failed',
      fault: { code: 'storage_error' },
    });
  });
});
