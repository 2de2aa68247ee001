import { describe, expect, test } from 'vitest';
import { podctl } from '../../client/podctl/program.ts';
import { type Behaviour, FakePod } from '../support/fake-pod.ts';
import type { PodEventBody } from '../../protocol/events.ts';
import { FakeShell } from '../support/fake-shell.ts';
import { delta, done, numbered, report, runEnd, runStart } from '../support/pod-events.ts';
import { until } from '../support/until.ts';

/** A Pod that runs `events` at a `Run`, and answers it in the midst of them. */
function running(...events: readonly PodEventBody[]): Behaviour {
  return (asked, pod) => {
    if (asked.method !== 'Run') {
      pod.answer(asked, {});
      return;
    }
    const [first, ...rest] = numbered(...events);
    if (first !== undefined) pod.tell(first);
    pod.answer(asked, { runId: 'r1' });
    pod.tell(...rest);
  };
}

async function run(fake: FakeShell, pod: FakePod, ...flags: string[]): Promise<number> {
  return await podctl(['run', pod.socket, ...flags, 'do it'], fake.shell, '0');
}

describe('podctl run', () => {
  test.each([
    ['finished', 0],
    ['paused', 2],
    ['limit_reached', 3],
    ['cancelled', 4],
  ] as const)('EXIT-1: a run that is %s ends it with %i', async (outcome, code) => {
    await using pod = await FakePod.listen(
      running(runStart(), done(1, 'hello'), runEnd({ outcome })),
    );
    const fake = new FakeShell();
    expect(await run(fake, pod)).toBe(code);
    expect(fake.outText).toBe('hello\n');
    expect(pod.asked[1]).toMatchObject({ params: { input: 'do it', wait: 'accepted' } });
  });

  test.each([
    [[], { input: 'do it', wait: 'accepted' }],
    [['--preempt'], { input: 'do it', wait: 'accepted', preempt: true }],
  ])('CLI-2: before it waits for a compaction it says so; %j', async (flags, params) => {
    await using pod = await FakePod.listen((asked, fake) => {
      const view = { state: 'running', phase: 'compacting' };
      if (asked.method === 'Subscribe') fake.answer(asked, view);
      else running(runStart(), done(1, 'hello'), runEnd())(asked, fake);
    });
    const fake = new FakeShell();
    expect(await run(fake, pod, ...flags)).toBe(0);
    expect(fake.errText).toBe('the Pod is compacting …\n');
    expect(pod.asked[1]?.params).toEqual(params);
  });

  test('EXIT-1: a run that fails ends it with 1 and says why', async () => {
    const error = { code: 'provider_error', message: 'no step left' } as const;
    await using pod = await FakePod.listen(
      running(runStart(), { event: 'run_end', data: { runId: 'r1', error } }),
    );
    const fake = new FakeShell();
    expect(await run(fake, pod)).toBe(1);
    expect(fake.errText).toBe('the run failed: no step left (provider_error)\n');
  });

  test('EXIT-1: a run that is over before it began is told by its report', async () => {
    await using pod = await FakePod.listen((asked, fake) => {
      fake.answer(asked, asked.method === 'Run' ? report({ outcome: 'cancelled' }) : {});
    });
    expect(await run(new FakeShell(), pod)).toBe(4);
  });

  test('CLI-3: a refused run names the Pod, the reason and what to do; it ends with 1', async () => {
    await using pod = await FakePod.listen((asked, fake) => {
      const data = { code: 'already_running', retryable: true };
      if (asked.method === 'Subscribe') fake.answer(asked, {});
      else fake.refuse(asked, { code: -32000, message: 'run r0 is open', data });
    });
    const fake = new FakeShell();
    expect(await run(fake, pod)).toBe(1);
    expect(fake.errText).toBe(
      `podctl: Pod ${pod.socket}: run r0 is open (already_running); try again when it is done; what it does now: podctl status ${pod.socket}\n`,
    );
  });

  test('CLI-2: --json prints the events of the run and nothing else', async () => {
    const events = [runStart(), delta(1, 0, 'a'), done(1, 'a'), runEnd()];
    await using pod = await FakePod.listen(running(...events));
    const fake = new FakeShell();
    expect(await run(fake, pod, '--json')).toBe(0);
    const lines = fake.outText.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(numbered(...events));
    expect(fake.errText).toBe('');
  });

  test('CLI-2: Ctrl-C cancels the run and waits for its end', async () => {
    await using pod = await FakePod.listen((asked, fake) => {
      running(runStart(), delta(1, 0, 'half'))(asked, fake);
      if (asked.method === 'Cancel') fake.tell(...numbered(runEnd({ outcome: 'cancelled' })));
    });
    const fake = new FakeShell();
    const code = run(fake, pod);
    await until(() => fake.outText === 'half', 'the text is there');
    fake.interrupt();
    expect(await code).toBe(4);
    expect(pod.methods).toEqual(['Subscribe', 'Run', 'Cancel']);
    expect(fake.outText).toBe('half\n');
  });

  test('CLI-2: Ctrl-C before the run is ours cancels no other run, and cancels ours once it is', async () => {
    const held: (() => void)[] = [];
    await using pod = await FakePod.listen((asked, fake) => {
      if (asked.method === 'Run')
        held.push(() => {
          running(runStart())(asked, fake);
        });
      else fake.answer(asked, {});
      if (asked.method === 'Cancel') fake.tell(...numbered(runEnd({ outcome: 'cancelled' })));
    });
    const fake = new FakeShell();
    const code = run(fake, pod);
    await until(() => held.length === 1, 'the Run has come');
    fake.interrupt();
    expect(fake.errText).toContain('cancelling');
    // What was sent before this is there when this is answered.
    await podctl(['status', '--json', pod.socket], new FakeShell().shell, '0');
    expect(pod.methods).toEqual(['Subscribe', 'Run', 'GetStatus']);
    for (const answer of held) answer();
    expect(await code).toBe(4);
    expect(pod.methods).toEqual(['Subscribe', 'Run', 'GetStatus', 'Cancel']);
  });

  test('CLI-2: a second Ctrl-C leaves, with 130, and leaves the connection too', async () => {
    await using pod = await FakePod.listen((asked, fake) => {
      if (asked.method !== 'Cancel') running(runStart(), delta(1, 0, 'half'))(asked, fake);
    });
    const fake = new FakeShell();
    const code = run(fake, pod);
    await until(() => fake.outText === 'half', 'the text is there');
    fake.interrupt();
    fake.interrupt();
    expect(await code).toBe(130);
    await until(() => pod.connections === 0, 'the connection is gone');
  });

  test('CLI-3: a Pod that dies under a run ends it with 69 and says what is not known', async () => {
    await using pod = await FakePod.listen((asked, fake) => {
      running(runStart(), delta(1, 0, 'half'))(asked, fake);
    });
    const fake = new FakeShell();
    const code = run(fake, pod);
    await until(() => fake.outText === 'half', 'the text is there');
    pod.hangUp();
    expect(await code).toBe(69);
    expect(fake.errText).toMatch(/connection was lost before the run ended.*podctl status/);
    expect(fake.errText).not.toContain('--id');
  });

  test('CLI-3 PROTO-17: with an id it says how to come back for the answer', async () => {
    let runs = 0;
    await using pod = await FakePod.listen((asked, fake) => {
      if (asked.method === 'Run') runs += 1;
      // The second asks for its end.
      if (runs < 2) running(runStart(), delta(1, 0, 'half'))(asked, fake);
    });
    const fake = new FakeShell();
    const code = run(fake, pod, '--id', 'mine');
    await until(() => fake.outText === 'half', 'the text is there');
    pod.hangUp();
    expect(await code).toBe(69);
    expect(fake.errText).toContain('give the same again with --id mine');
  });
});

describe('podctl stop', () => {
  test.each([
    [[], 'graceful'],
    [['--now'], 'now'],
  ])('CLI-2: stop %j asks for %s, and ends when the socket is gone', async (flags, mode) => {
    const asked: unknown[] = [];
    await using pod = await FakePod.listen((request, fake) => {
      asked.push(request.params);
      fake.answer(request, {});
    });
    const fake = new FakeShell();
    let ended = false;
    const code = podctl(['stop', pod.socket, ...flags], fake.shell, '0').finally(() => {
      ended = true;
    });
    await until(() => asked.length === 1, 'the Shutdown has come');
    expect(asked).toEqual([{ mode }]);
    // The answer is out; a further connection's turn shows that it was not enough.
    pod.hangUp();
    await until(() => pod.connections === 0, 'the connection is gone');
    expect(ended).toBe(false);
    await pod.vanish();
    expect(await code).toBe(0);
    expect(fake.outText).toBe(`Pod ${pod.socket} stopped\n`);
  });
});

describe('podctl history', () => {
  const said = (text: string): object => ({
    type: 'message',
    role: 'assistant',
    content: [{ type: 'text', text }],
  });

  test('CLI-3: where the session changes between two pages it says so, and ends with 1', async () => {
    await using pod = await FakePod.listen((asked, fake) => {
      const { from } = asked.params as { from: number };
      const data = { code: 'unknown_session', retryable: false };
      if (from === 0)
        fake.answer(asked, { sessionId: 's1', items: [said('a'), said('b')], next: 2 });
      else fake.refuse(asked, { code: -32005, message: 'the live session is s2', data });
    });
    const fake = new FakeShell();
    expect(await podctl(['history', pod.socket], fake.shell, '0')).toBe(1);
    expect(fake.outText).toBe('a\nb\n');
    expect(fake.errText).toMatch(/another session.*after item 2 is missing.*podctl history again/);
    expect(pod.asked.map(({ params }) => params)).toEqual([
      { from: 0 },
      { from: 2, sessionId: 's1' },
    ]);
  });

  test('CLI-3: a session that is not there is refused in the Pod’s words', async () => {
    await using pod = await FakePod.listen((asked, fake) => {
      const data = { code: 'unknown_session', retryable: false };
      fake.refuse(asked, { code: -32005, message: 'the live session is s2', data });
    });
    const fake = new FakeShell();
    expect(await podctl(['history', pod.socket, '--session', 's9'], fake.shell, '0')).toBe(1);
    expect(fake.errText).toBe(
      `podctl: Pod ${pod.socket}: the live session is s2 (unknown_session)\n`,
    );
  });
});

describe('podctl', () => {
  test.each([
    [['run', 'x'], /missing required argument 'TEXT'/],
    [['run', 'x', ' '], /no text/],
    [['notify', 'x', ' '], /no text/],
    [['events', '--after', '5', 'x'], /EPOCH:SEQ, as 12:345, not "5"/],
    [['compact', '--retained-tokens', '1.5', 'x'], /a number, not "1.5"/],
    [['compact', '--instructions', ' ', 'x'], /no text/],
    [['logs', '-n', 'all', 'x'], /a number, not "all"/],
    [['start', 'pod.toml', '--', '--ready-fd', '4'], /--ready-fd is for podd itself/],
    [['start', '--', '--manifest', '-'], /stdin is for podd itself/],
    [['ru', 'x', 'y'], /Did you mean run/],
    [['status', '--jsno', 'x'], /Did you mean --json/],
    [[], /Usage: podctl/],
  ])('CLI-3: %j is a usage error: 64, and stdout stays empty', async (argv, says) => {
    const fake = new FakeShell();
    expect(await podctl(argv, fake.shell, '0')).toBe(64);
    expect(fake.errText).toMatch(says);
    expect(fake.outText).toBe('');
  });

  test.each([
    ...[['run'], ['chat'], ['notify'], ['resume'], ['cancel'], ['pause'], ['compact']],
    ...[['start'], ['stop'], ['status'], ['history'], ['usage'], ['events'], ['logs']],
  ])('CLI-2: %s --help has examples', async (command) => {
    const fake = new FakeShell();
    expect(await podctl([command, '--help'], fake.shell, '0')).toBe(0);
    expect(fake.outText).toMatch(new RegExp(`Examples:\\n  (.* \\| )?podctl ${command}`));
  });

  test('CLI-3: a Pod that is not there ends every command with 69', async () => {
    for (const argv of [
      ['run', 'x', 'y'],
      ['chat', 'x'],
      ['notify', 'x', 'y'],
      ['events', '--follow', 'x'],
      ...['resume', 'compact', 'cancel', 'pause', 'history', 'usage', 'status', 'stop'].map(
        (name) => [name, 'x'],
      ),
    ]) {
      const fake = new FakeShell({ env: { PODD_RUNTIME_DIR: '/nowhere' } });
      expect(await podctl(argv, fake.shell, '0')).toBe(69);
      expect(fake.errText).toBe(
        'podctl: no Pod x is running: there is no socket at /nowhere/x/sock; start it with: podd --manifest FILE\n',
      );
    }
  });
});
