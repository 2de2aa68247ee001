import { describe, expect, test } from 'vitest';
import { claudePod } from '../support/claude-pod.ts';
import { expectSound } from '../support/expect-sound.ts';
import { MISBEHAVIOURS } from '../support/misbehaviours.ts';
import { ModelServer } from '../support/model-server.ts';
import { SLOWNESS } from '../support/slowness.ts';
import { read } from '../support/source-tree.ts';
import { until } from '../support/until.ts';

/** What a loopback answer never needs, and a test can wait for. */
const SETTINGS = [
  // What a prompt that is too long leads to else is a matter of its own.
  'compaction.on_refusal = false',
  `provider.first_event_timeout_ms = ${400 * SLOWNESS}`,
  `provider.idle_timeout_ms = ${400 * SLOWNESS}`,
];

describe('a model server that misbehaves', () => {
  test('PROV-4 PROV-9 LOOP-6 INV-3: case by case, the client and the model see what the page says, nothing is kept twice, and the next request is answered', async () => {
    await using server = new ModelServer();
    await using pod = await claudePod(server, SETTINGS);
    await pod.start();
    using client = await pod.client();
    await client.call('Subscribe');
    for (const { server: does, conduct, then, reason, status, discards } of MISBEHAVIOURS) {
      const [asked, events] = [server.asked.length, client.events.length];
      server.conduct(conduct, { kind: 'answer', blocks: [{ text: `after: ${does}` }] });
      const { result, error } = await client.ask('Run', { input: does });
      await client.event('run_end', ({ data }) => {
        const told = result as { runId: unknown } | undefined;
        return data['runId'] === (told ?? (error?.data as { runId: unknown })).runId;
      });
      const retries = client.events.slice(events).filter(({ event }) => event === 'retry');
      const why = {
        ...(reason === undefined ? {} : { reason }),
        ...(status === undefined ? {} : { status }),
      };
      if (then === 'passes') {
        expect(result, does).toMatchObject({ outcome: 'finished', text: `after: ${does}` });
        expect(retries, does).toMatchObject([{ data: { attempt: 1, ...why } }]);
        expect(retries[0]?.data['discarded'], does).toHaveLength(discards === true ? 1 : 0);
        expect(server.asked.length - asked, does).toBe(2);
        // The model is asked the very same again.
        expect(server.asked.at(-1)?.body, does).toEqual(server.asked.at(-2)?.body);
      } else if (then === 'counts') {
        expect(result, does).toMatchObject({ outcome: 'finished', text: 'whole' });
        expect(retries, does).toEqual([]);
        expect(server.asked.length - asked, does).toBe(1);
      } else {
        expect(error?.data, does).toMatchObject({ code: 'provider_error', ...why });
        expect(retries, does).toEqual([]);
        expect(server.asked.length - asked, does).toBe(1);
      }
      await until(() => server.open === 0, `${does}: the end of its request`);
    }
    const sent = JSON.stringify(server.asked.at(-1)?.body);
    expect(sent).not.toContain('so far');
    expect(server.refused).toEqual([]);
    await expectSound(pod, client);
  });

  test('PROV-4: the page for operators has every case, and no other', () => {
    const rows = read('docs/model-trouble.md')
      .split('\n')
      .filter((line) => line.startsWith('| ') && !/^\| (?:the server|---)/.test(line))
      .map((line) => line.split('|').map((cell) => cell.trim()));
    const told = rows.map(([, does, client]) => [does, client]);
    const expected = MISBEHAVIOURS.map(({ server, then, reason, status }) => {
      if (then === 'counts') return [server, 'the answer'];
      const what = reason === undefined ? `\`status ${status ?? ''}\`` : `\`${reason}\``;
      return [server, `${then === 'passes' ? '`retry`' : '`provider_error`'}, ${what}`];
    });
    expect(told).toEqual(expected);
  });
});
