import { afterEach, describe, expect, test, vi } from 'vitest';
import { runId, sessionId } from '../../../daemon/core/ids.ts';
import { LIMITS } from '../../../daemon/core/limits.ts';
import { Askers } from '../../../daemon/pod/askers.ts';
import type { FoundRun } from '../../../daemon/pod/find-run.ts';
import { type LookUp, LookUps } from '../../../daemon/pod/look-ups.ts';
import type { Asker } from '../../../daemon/pod/askers.ts';
import type { StoredRunEnd } from '../../../daemon/ports/journal.ts';
import { type Deferred, deferred } from '../../../daemon/support/deferred.ts';
import { until } from '../../support/until.ts';

const ABSENT: StoredRunEnd = { end: null, continuedBy: null };
const run = { runId: runId('r'), sessionId: sessionId('s') };
const asked = (id: string) => ({
  seen: { method: 'Run' as const, requestId: id, hash: '' },
  text: '',
  queue: false,
});

function asker(): Asker {
  return { wait: 'ended', answer: deferred() };
}

/** Look-ups in logs that answer when they are told to. */
function bench() {
  const reads: Deferred<StoredRunEnd>[] = [];
  const found: [LookUp, FoundRun][] = [];
  const loop = new AbortController();
  const runEnd = (): Promise<StoredRunEnd> => {
    const read = deferred<StoredRunEnd>();
    reads.push(read);
    return read.promise;
  };
  const lookUps = new LookUps({ runEnd }, loop.signal, (...event) => found.push(event));
  return { lookUps, reads, found };
}

afterEach(() => {
  vi.useRealTimers();
});

describe('LookUps', () => {
  test('PROTO-17 INV-12: who asks for the same shares one look, and one log is read at a time', async () => {
    const { lookUps, reads, found } = bench();
    const askers = [asker(), asker(), asker()];
    lookUps.begin(asked('a'), run, ...askers.slice(0, 2));
    lookUps.begin(asked('a'), run, ...askers.slice(2));
    lookUps.begin(asked('b'), run, asker());
    await until(() => reads.length === 1, 'the first read');
    reads[0]?.resolve(ABSENT);
    await until(() => reads.length === 2, 'the second read');
    const [first] = found;
    expect(first?.[1]).toEqual({ kind: 'absent' });
    expect(first === undefined ? [] : lookUps.end(first[0])).toEqual(askers);
    reads[1]?.resolve(ABSENT);
    await until(() => found.length === 2, 'the second answer');
  });

  test('INV-6: behind a read that hangs the others are given up in the same time, not one after the other', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { lookUps, found } = bench();
    for (const id of ['a', 'b', 'c']) lookUps.begin(asked(id), run, asker());
    await vi.advanceTimersByTimeAsync(LIMITS.readLogMs + 1);
    expect(found.map(([, { kind }]) => kind)).toEqual(['failed', 'failed', 'failed']);
  });

  test('INV-12: over the limit of look-ups the next is busy', async () => {
    const { lookUps } = bench();
    for (let n = 0; n < LIMITS.lookUps; n += 1) lookUps.begin(asked(`${n}`), run, asker());
    const late = asker();
    lookUps.begin(asked('late'), run, late);
    await expect(late.answer.promise).rejects.toMatchObject({ code: 'busy' });
  });

  test('INV-8: when nobody takes the answer any more, whoever asked is told', async () => {
    const { lookUps } = bench();
    const one = asker();
    lookUps.begin(asked('a'), run, one);
    lookUps.failAll(new Error('stopped'));
    await expect(one.answer.promise).rejects.toThrow('stopped');
  });
});

describe('Askers', () => {
  test('PROTO-17 INV-12: of a client that comes back again and again the oldest requests go', async () => {
    const askers = new Askers();
    const first = asker();
    askers.add(first);
    for (let n = 0; n < LIMITS.askersOfRun; n += 1) askers.add(asker());
    await expect(first.answer.promise).rejects.toMatchObject({ code: 'busy' });
    expect(askers.take()).toHaveLength(LIMITS.askersOfRun);
  });
});
