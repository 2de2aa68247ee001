import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findMisfits } from '../support/expect-sound.ts';
import { deadline } from '../support/slowness.ts';
import { findUnsound, storedEntries } from '../support/stored-entries.ts';
import { TempPod } from '../support/temp-pod.ts';
import type { WireClient } from '../support/wire-client.ts';

const text = 'word '.repeat(60);
const SLOW = `[[steps]]\ntext = "${text}"\nchunk_bytes = 5\ndelay_ms = 15\n`;
/** It says nothing for a minute. */
const STUCK = '[[steps]]\ntext = "late"\ndelay_ms = 60000\n';

type Story = {
  readonly pod: TempPod;
  readonly client: WireClient;
  readonly report: Promise<unknown>;
};

/** A Pod with a run that is under way, up to the event `at`. */
async function midRun(pod: TempPod, at: string): Promise<Story> {
  await pod.start();
  const client = await pod.client();
  await client.call('Subscribe');
  const report = client.ask('Run', { input: 'go' });
  await client.event(at);
  return { pod, client, report };
}

/** The Pod has ended with `code`, and left what it has to leave. */
async function expectEnded({ pod, client }: Story, outcome: string, code = 0): Promise<void> {
  expect(await pod.exit()).toBe(code);
  expect(existsSync(dirname(pod.socket))).toBe(false);
  expect(findMisfits(client)).toEqual([]);
  const entries = await storedEntries(pod);
  expect(findUnsound(entries)).toEqual([]);
  expect(entries.filter(({ kind }) => kind === 'run_outcome')).toMatchObject([{ outcome }]);
  client.socket.destroy();
}

describe('Shutdown', () => {
  test('FAM-10, PROTO-18: mode now cancels the run, answers before the socket closes, and exits 0', async () => {
    await using pod = new TempPod({ script: SLOW });
    const story = await midRun(pod, 'text_delta');
    const begun = performance.now();
    expect(await story.client.call('Shutdown', { mode: 'now' })).toEqual({});
    expect(await story.report).toMatchObject({ result: { outcome: 'cancelled' } });
    await story.client.untilEnded();
    expect(performance.now() - begun).toBeLessThan(deadline(5_000));
    const names = story.client.events.map(({ event }) => event);
    expect(names.slice(names.indexOf('run_end'))).toEqual(['run_end', 'state', 'shutdown']);
    await expectEnded(story, 'cancelled');
  });

  test('FAM-10: mode graceful lets the run end, and refuses new ones meanwhile', async () => {
    await using pod = new TempPod({ script: SLOW });
    const story = await midRun(pod, 'text_delta');
    using other = await pod.client();
    const stop = story.client.call('Shutdown', { mode: 'graceful' });
    await story.client.event('state', ({ data }) => data['state'] === 'stopping');
    expect((await other.ask('Run', { input: 'more' })).error?.data).toMatchObject({
      code: 'shutting_down',
    });
    expect(await other.call('GetStatus')).toMatchObject({ state: 'stopping' });
    expect(await story.report).toMatchObject({ result: { outcome: 'finished', text } });
    expect(await stop).toEqual({});
    await expectEnded(story, 'finished');
  });

  test('FAM-10, INV-6: mode graceful with a deadline cancels the run when it is due', async () => {
    await using pod = new TempPod({ script: STUCK });
    const story = await midRun(pod, 'turn_start');
    const begun = performance.now();
    await story.client.call('Shutdown', { mode: 'graceful', deadlineMs: 3_200 });
    expect(await story.report).toMatchObject({ result: { outcome: 'cancelled' } });
    expect(performance.now() - begun).toBeLessThan(deadline(3_200));
    await expectEnded(story, 'cancelled');
  });

  test('PROTO-18: two stops are both answered', async () => {
    await using pod = new TempPod({ script: STUCK });
    const story = await midRun(pod, 'turn_start');
    using other = await pod.client();
    const graceful = story.client.call('Shutdown', { mode: 'graceful' });
    await story.client.event('state', ({ data }) => data['state'] === 'stopping');
    expect(await other.call('Shutdown')).toEqual({});
    expect(await graceful).toEqual({});
    await expectEnded(story, 'cancelled');
  });

  test('PROTO-16: an idle Pod stops at once, and starts again at the same place with a new epoch', async () => {
    await using pod = new TempPod({ script: SLOW });
    const first = await pod.start();
    using client = await pod.client();
    // A session is stored with its first run.
    await client.call('Run', { input: 'go' });
    await client.call('Shutdown');
    expect(await pod.exit()).toBe(0);
    expect(existsSync(dirname(pod.socket))).toBe(false);
    const second = await pod.start();
    expect(second.epoch).toBeGreaterThan(first.epoch);
    expect(second.sessionId).toBe(first.sessionId);
    pod.signal('SIGTERM');
    expect(await pod.exit()).toBe(0);
  });
});

describe('signals', () => {
  test.each([['SIGTERM'], ['SIGINT']] as const)(
    'START-4: %s mid-run cancels it in time, and the exit code is 0',
    async (signal) => {
      await using pod = new TempPod({ script: STUCK });
      const story = await midRun(pod, 'turn_start');
      const begun = performance.now();
      pod.signal(signal);
      expect(await story.report).toMatchObject({ result: { outcome: 'cancelled' } });
      expect((await story.client.event('shutdown')).data).toEqual({ reason: 'signal' });
      await expectEnded(story, 'cancelled');
      expect(performance.now() - begun).toBeLessThan(deadline(5_000));
    },
  );

  test('START-4: SIGTERM lets a run end that needs less than the deadline', async () => {
    await using pod = new TempPod({ script: SLOW });
    const story = await midRun(pod, 'text_delta');
    pod.signal('SIGTERM');
    expect(await story.report).toMatchObject({ result: { outcome: 'finished', text } });
    await expectEnded(story, 'finished');
  });

  test.each([
    ['SIGTERM', 15],
    ['SIGINT', 2],
  ] as const)(
    'START-4 EXIT-1: a second %s ends the process at once by signal %i, 128 more in a shell, and the next start finds the run open',
    async (signal, _number) => {
      await using pod = new TempPod({ script: STUCK });
      const { client, report } = await midRun(pod, 'turn_start');
      report.catch(() => undefined);
      pod.signal('SIGTERM');
      await client.event('state', ({ data }) => data['state'] === 'stopping');
      pod.signal(signal);
      expect(await pod.exit()).toBe(signal);
      await pod.start();
      using again = await pod.client();
      expect(await again.call('GetStatus')).toMatchObject({
        state: 'idle',
        lastOutcome: 'interrupted',
        interrupted: true,
      });
      pod.signal('SIGTERM');
      expect(await pod.exit()).toBe(0);
      expect(findUnsound(await storedEntries(pod))).toEqual([]);
    },
  );
});
