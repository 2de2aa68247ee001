import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Backoff, keepTrying, mayPass } from '../../../client/keep-trying.ts';
import { CLIENT_LIMITS } from '../../../client/limits.ts';
import { PodError } from '../../../client/pod-error.ts';

const never = new AbortController().signal;
const gone = new PodError('unreachable', 'there is no socket');

describe('Backoff', () => {
  test('CLI-1: pauses double from the first to the last, and chance takes at most half of one', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.nat(2_000), (chance, n) => {
        const backoff = new Backoff(() => chance);
        let pauseMs = 0;
        for (let i = 0; i <= n; i += 1) pauseMs = backoff.nextMs();
        const { redialFirstMs, redialLastMs } = CLIENT_LIMITS;
        const wholeMs = Math.min(redialLastMs, redialFirstMs * 2 ** n);
        expect(pauseMs).toBeGreaterThanOrEqual(wholeMs / 2);
        expect(pauseMs).toBeLessThanOrEqual(wholeMs);
      }),
    );
  });

  test('CLI-1: what came to something begins anew', () => {
    const backoff = new Backoff(() => 0);
    expect([backoff.nextMs(), backoff.nextMs()]).toEqual([25, 50]);
    backoff.reset();
    expect(backoff.nextMs()).toBe(25);
  });
});

describe('keepTrying', () => {
  test('CLI-1: it tries until it succeeds, and each attempt knows what time is left', async () => {
    const left: number[] = [];
    const answer = await keepTrying(
      (leftMs) => {
        left.push(leftMs);
        return left.length < 3 ? Promise.reject(gone) : Promise.resolve('here');
      },
      { deadlineMs: 10_000, signal: never, backoff: new Backoff(() => 0) },
    );
    expect(answer).toBe('here');
    expect(left).toHaveLength(3);
    expect(left[2]).toBeLessThan(left[0] ?? 0);
  });

  test('CLI-1: at the deadline it throws the last failure, and says how long it tried', async () => {
    const tried = keepTrying(() => Promise.reject(gone), {
      deadlineMs: 60,
      signal: never,
      backoff: new Backoff(() => 0),
    });
    await expect(tried).rejects.toMatchObject({
      code: 'unreachable',
      message: 'there is no socket (tried for 60 ms)',
      cause: gone,
    });
  });

  test('CLI-1: what can not pass is thrown at once', async () => {
    const odd = new PodError('bad_answer', 'no JSON');
    let attempts = 0;
    const tried = keepTrying(
      () => {
        attempts += 1;
        return Promise.reject(odd);
      },
      { deadlineMs: 1_000, signal: never, backoff: new Backoff(() => 0) },
    );
    await expect(tried).rejects.toBe(odd);
    expect(attempts).toBe(1);
  });

  test('CLI-1: its signal ends it in the midst of a pause, with its own reason', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const tried = keepTrying(() => Promise.reject(gone), {
      deadlineMs: 10_000,
      signal: controller.signal,
      backoff: new Backoff(() => 1),
    });
    controller.abort(reason);
    await expect(tried).rejects.toBe(reason);
  });

  test.each([
    [new PodError('unreachable', 'x', { cause: withCode('ECONNREFUSED') }), true],
    [new PodError('unreachable', 'x', { cause: withCode('EACCES') }), false],
    [new PodError('unreachable', 'x', { cause: withCode('ENOTSOCK') }), false],
    [new PodError('disconnected', 'x'), true],
    [new PodError('no_answer', 'x'), true],
    [new PodError('bad_answer', 'x'), false],
    [new Error('x'), false],
  ])('CLI-1: %o passes by itself: %s', (error, passes) => {
    expect(mayPass(error)).toBe(passes);
  });
});

function withCode(code: string): Error {
  return Object.assign(new Error(code), { code });
}
