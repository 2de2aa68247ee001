import { describe, expect, test } from 'vitest';
import { podctl } from '../../client/podctl/program.ts';
import { type Behaviour, FakePod } from '../support/fake-pod.ts';
import { FakeShell } from '../support/fake-shell.ts';
import { numbered } from '../support/pod-events.ts';
import { until } from '../support/until.ts';

const COMPACTED = { from: 's1', sessionId: 's2', tokensBefore: 31_200, tokensAfter: 9_400 };

/** Answers a Compact, in the midst of its events. */
function compacting(view: object = { state: 'idle' }): Behaviour {
  return (asked, pod) => {
    if (asked.method !== 'Compact') {
      pod.answer(asked, view);
      return;
    }
    pod.tell(...numbered({ event: 'compaction_start', data: { sessionId: 's1' } }));
    pod.answer(asked, COMPACTED);
  };
}

async function compact(fake: FakeShell, pod: FakePod, ...flags: string[]): Promise<number> {
  return await podctl(['compact', pod.socket, ...flags], fake.shell, '0');
}

describe('podctl compact', () => {
  test('CLI-2: says in one line what it came to; what it was given goes with the request', async () => {
    await using pod = await FakePod.listen(compacting());
    const fake = new FakeShell();
    const flags = ['--instructions', 'keep it', '--retained-tokens', '400', '--id', 'mine'];
    expect(await compact(fake, pod, ...flags)).toBe(0);
    expect(fake.outText).toBe(
      `Pod ${pod.socket} compacted: 31,200 → 9,400 tokens; it goes on in session s2\n`,
    );
    expect(fake.errText).toBe('');
    expect(pod.asked).toMatchObject([
      {
        method: 'Compact',
        params: { instructions: 'keep it', retainedTokens: 400, requestId: 'mine' },
      },
    ]);
  });

  test('CLI-2: --json prints the answer', async () => {
    await using pod = await FakePod.listen(compacting());
    const fake = new FakeShell();
    expect(await compact(fake, pod, '--json')).toBe(0);
    expect(JSON.parse(fake.outText)).toEqual(COMPACTED);
    expect(pod.asked).toMatchObject([{ method: 'Compact', params: {} }]);
  });

  test.each([
    [{ state: 'idle' }, 'compacting …\n'],
    [
      { state: 'running', phase: 'tools' },
      'a run is open: this waits for the moment before its next request …\ncompacting …\n',
    ],
  ])('CLI-2: on a terminal it says that it waits, and for what: %j', async (view, says) => {
    await using pod = await FakePod.listen(compacting(view));
    const fake = new FakeShell({ terminal: true, env: { NO_COLOR: '1' } });
    expect(await compact(fake, pod)).toBe(0);
    expect(fake.errText).toBe(says);
  });

  test('CLI-3: a failure ends it with 1 and says why, and what to do', async () => {
    await using pod = await FakePod.listen((asked, fake) => {
      const data = { code: 'compaction_failed', cause: 'not_smaller', retryable: true };
      fake.refuse(asked, { code: -32008, message: 'the summary has 900 tokens', data });
    });
    const fake = new FakeShell();
    expect(await compact(fake, pod)).toBe(1);
    expect(fake.errText).toMatch(
      /the summary has 900 tokens \(compaction_failed\); .*no shorter.*--retained-tokens N/,
    );
  });

  test('CLI-3: a Pod that had no run has nothing to compact', async () => {
    await using pod = await FakePod.listen((asked, fake) => {
      const data = { code: 'unknown_session', retryable: false };
      fake.refuse(asked, { code: -32005, message: 'there is none', data });
    });
    const fake = new FakeShell();
    expect(await compact(fake, pod)).toBe(1);
    expect(fake.errText).toContain('nothing to compact: this Pod had no run yet');
  });

  test.each([
    [[], /cut off if the Pod died; see whether it lives/],
    [['--id', 'mine'], /give the same again with --id mine; see whether it lives/],
  ])('CLI-3: a Pod that dies under it ends it with 69: %j', async (flags, says) => {
    await using pod = await FakePod.listen((_asked, fake) => {
      fake.hangUp();
    });
    const fake = new FakeShell();
    expect(await compact(fake, pod, ...flags)).toBe(69);
    expect(fake.errText).toMatch(says);
  });

  test('CLI-2: Ctrl-C leaves, with 130, and cancels nothing', async () => {
    await using pod = await FakePod.listen(() => undefined);
    const fake = new FakeShell();
    const code = compact(fake, pod);
    await until(() => pod.asked.length === 1, 'the Compact has come');
    fake.interrupt();
    expect(await code).toBe(130);
    expect(fake.errText).toContain('the Pod goes on with the compaction');
    expect(pod.methods).toEqual(['Compact']);
  });
});
