import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Item } from '../../protocol/items.ts';
import { TempPod } from '../support/temp-pod.ts';
import type { WireClient } from '../support/wire-client.ts';
import { Acknowledged, findInvalid } from './acknowledged.ts';
import { allUntilDeath, killAt, liveUntilDeath, ONE_THREAD } from './death.ts';

/** Kills before it come upon the start and the first run, which others see to. */
const FIRST_KILL = 34;
const KILLS_MAX = 60;
const SIDE_BY_SIDE = 2;
const FIRST = 'Look at the file, and then look again.';
const DIRECTIVE = 'Never change the file.';

const STEP = `[[steps]]
text = "I look at it."
[[steps.tool_calls]]
name = "Read"
arguments = { file_path = "{{workspace}}/big.txt" }
`;
/** Three reads fill what a request may have; what comes behind the compaction plays the script from its start. */
const SCRIPT = `${STEP}[[steps]]\ntext = "Seen once."\n${STEP}${STEP}[[steps]]\ntext = "Seen enough."\n`;
const SUMMARY = `## Completed Tasks\\n- The file was looked at.\\n## Active Task\\nLook again.\\n## Key Decisions\\nnone\\n## User Directives\\n- ${DIRECTIVE}\\n## Current Work\\nLooking.`;
const COMPACTOR = `loop = true
[[steps]]
[[steps.tool_calls]]
name = "write_summary"
arguments = { text = "${SUMMARY}" }
`;
const SETTINGS = `[compaction]
compact_request_threshold = 5000
compact_retained_tokens = 1000
[compaction.provider]
kind = "scripted"
script = "compactor.toml"
`;

type Status = {
  readonly sessionId: string;
  readonly lastOutcome: string | null;
  readonly interrupted: boolean;
};
type History = { readonly sessionId: string; readonly items: readonly Item[] };

/** Where the death left the Pod: before or behind the switch, or not at all. */
type Stage = 'before the switch' | 'behind the switch' | 'unharmed';

function newPod(): TempPod {
  const pod = new TempPod({ script: SCRIPT, worker: SETTINGS, env: ONE_THREAD });
  writeFileSync(join(pod.folder, 'compactor.toml'), COMPACTOR);
  pod.file('big.txt', 'one line of a file that is read again and again\n'.repeat(130));
  return pod;
}

async function live(client: WireClient): Promise<void> {
  await client.call('Subscribe');
  await client.call('Run', { input: FIRST, inputId: 'first' });
  await allUntilDeath([client.call('Run', { input: DIRECTIVE, inputId: 'second' })]);
  await client.call('Shutdown');
}

test('LOG-5, COMP-1, COMP-7, PROTO-17: a Pod killed at each sync of a run that is compacted in its middle has the old session whole or the new one whole, and whoever asks again gets that run’s end', async () => {
  const stages = new Map<number, Stage>();
  let next = FIRST_KILL;
  const lane = async (): Promise<void> => {
    while (next <= KILLS_MAX && ![...stages.values()].includes('unharmed')) {
      const nth = next;
      next += 1;
      try {
        stages.set(nth, await surviveKill(nth));
      } catch (error) {
        next = KILLS_MAX + 1;
        throw error;
      }
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: SIDE_BY_SIDE }, lane));
  for (const end of lanes) if (end.status === 'rejected') throw end.reason;
  const all = [...stages].sort(([a], [b]) => a - b).map(([, stage]) => stage);
  expect(all).toContain('unharmed');
  // Kills that come upon neither side of the switch would show nothing.
  expect(all.filter((stage) => stage === 'before the switch').length).toBeGreaterThan(3);
  expect(all.filter((stage) => stage === 'behind the switch').length).toBeGreaterThan(2);
});

async function surviveKill(nth: number): Promise<Stage> {
  const at = `fdatasync ${nth}`;
  await using pod = newPod();
  const told = new Acknowledged();
  const end = await liveUntilDeath(pod, told, { under: killAt('fdatasync', nth), life: live });
  await pod.start();
  using client = await pod.client();
  await client.call('Subscribe');
  const status = (await client.call('GetStatus')) as unknown as Status;
  const history = (await client.call('GetHistory')) as unknown as History;
  expect(findInvalid(history.items), at).toEqual([]);
  const isSwitched = JSON.stringify(history.items[0] ?? {}).includes('[Compacted context summary]');
  const done = told.told('compaction_done')[0]?.data as { from: string } | undefined;
  // What was told has happened.
  if (done !== undefined) expect(isSwitched, at).toBe(true);
  const first = JSON.stringify(history.items);
  if (history.items.length > 0) expect(first, at).toContain(FIRST);
  if (isSwitched) expect(first, at).toContain(DIRECTIVE);

  // The same ids again: each gets the run that it began, or the one that took it up.
  const again = [
    await client.call('Run', { input: FIRST, inputId: 'first' }),
    await client.call('Run', { input: DIRECTIVE, inputId: 'second' }),
  ];
  for (const report of again) expect(report, at).toMatchObject({ outcome: 'finished' });
  const ended = told.endedRuns();
  for (const { runId } of again as { runId: string }[])
    if (ended.has(runId)) expect(ended.get(runId), at).toBe('finished');
  const after = (await client.call('GetHistory')) as unknown as History;
  expect(findInvalid(after.items), at).toEqual([]);
  const texts = JSON.stringify(after.items);
  // Nobody's input is there twice: once as it was said, and where it was compacted once in the ledger or the summary.
  expect(texts.split(`"text":"${DIRECTIVE}"`).length - 1, at).toBeLessThanOrEqual(1);
  expect(texts, at).toContain(FIRST);
  expect(texts, at).toContain(DIRECTIVE);
  if (done !== undefined) {
    const past = (await client.call('GetHistory', { sessionId: done.from })) as unknown as History;
    expect(JSON.stringify(past.items[0]), at).toContain(FIRST);
    const { records } = await client.call('GetUsage', { sessionId: done.from });
    expect(JSON.stringify(records), at).toContain('"compactor"');
  }
  expect((await client.call('GetStatus'))['lastOutcome'], at).toBe('finished');
  expect(status.lastOutcome === 'interrupted', at).toBe(status.interrupted);
  await client.call('Shutdown');
  expect(await pod.exit(), at).toBe(0);
  if (end === 0) return 'unharmed';
  return isSwitched ? 'behind the switch' : 'before the switch';
}
