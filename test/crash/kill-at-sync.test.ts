import { describe, expect, test } from 'vitest';
import { TempPod } from '../support/temp-pod.ts';
import type { WireClient } from '../support/wire-client.ts';
import { Acknowledged, askTestimony, findInvalid } from './acknowledged.ts';
import { CALL_GROUPS, killAt, liveUntilDeath, ONE_THREAD, type CallGroup } from './death.ts';
import { listLeftovers, listTemporaries, readWorkspace, STORY, writeWorkspace } from './story.ts';

/** A bound on the kills of one group: more would mean that the run never passes unharmed. */
const KILLS_MAX = 60;
/** How far apart the kills are until the first that comes upon the run. */
const START_STEP = 8;
/** Two, since a Pod under strace and its observer keep two cores busy. */
const SIDE_BY_SIDE = 2;

describe('a Pod that is killed by kill -9', () => {
  test.each(Object.keys(CALL_GROUPS) as CallGroup[])(
    'LOG-5, INV-1, INV-4: killed as it enters each %s of a run, it loses nothing acknowledged and repeats no effect',
    async (group) => {
      const stages = new Map<number, Stage>();
      const begun = new Set<number>();
      let next = 1;
      // Of the calls of a start some are enough: each is killed only from where the run may begin.
      let step = START_STEP;
      const lane = async (): Promise<void> => {
        while (next <= Math.min(KILLS_MAX, firstUnharmed(stages))) {
          const nth = next;
          next += step;
          if (begun.has(nth)) continue;
          begun.add(nth);
          try {
            const stage = await surviveKill(group, nth);
            stages.set(nth, stage);
            if (stage === 'before the run') continue;
            step = 1;
            for (let gap = nth - 1; gap > nth - START_STEP && gap > 0; gap -= 1)
              if (!begun.has(gap)) next = Math.min(next, gap);
          } catch (error) {
            // The other lanes end too.
            next = KILLS_MAX + 1;
            throw error;
          }
        }
      };
      // All of them, also after one failed: a lane that goes on alone would leave its Pod behind.
      const lanes = await Promise.allSettled(Array.from({ length: SIDE_BY_SIDE }, lane));
      for (const end of lanes) if (end.status === 'rejected') throw end.reason;
      const inOrder = [...stages].sort(([a], [b]) => a - b).map(([, stage]) => stage);
      const kills = inOrder.indexOf('unharmed');
      expect(kills, `no kill was late enough for the run to pass: ${inOrder.join()}`).not.toBe(-1);
      expect(new Set(inOrder.slice(kills)), 'a later call killed again').toEqual(
        new Set(['unharmed']),
      );
      // Kills that stop short of the run would show nothing.
      const inRun = inOrder.filter((stage) => stage === 'in the run').length;
      expect(inRun, inOrder.join()).toBeGreaterThanOrEqual(KILLS_IN_RUN_MIN[group]);
    },
  );
});

/** No later kill is needed. */
function firstUnharmed(stages: ReadonlyMap<number, Stage>): number {
  const unharmed = [...stages].flatMap(([nth, stage]) => (stage === 'unharmed' ? [nth] : []));
  return Math.min(...unharmed, Number.POSITIVE_INFINITY);
}

/** When the death came, by what clients were told. */
type Stage = 'before the run' | 'in the run' | 'after the run' | 'unharmed';

/** An edit syncs its file and the folder; a new file in a new folder syncs that too, and is linked, then unlinked. */
const KILLS_IN_RUN_MIN: Record<CallGroup, number> = {
  fdatasync: 8,
  fsync: 5,
  rename: 1,
  link: 1,
  unlink: 1,
};

/** One Pod's life, its death as it enters that call, and its next life. */
async function surviveKill(group: CallGroup, nth: number): Promise<Stage> {
  const at = `${group} ${nth}`;
  await using pod = new TempPod({ script: STORY.script, env: ONE_THREAD });
  writeWorkspace(pod, STORY.before);
  const told = new Acknowledged();
  const end = await liveUntilDeath(pod, told, {
    under: killAt(group, nth),
    life: async (client) => {
      await client.call('Subscribe');
      const report = await client.call('Run', { input: STORY.input });
      expect(report).toMatchObject({ outcome: 'finished', text: 'all is done' });
      await client.call('Shutdown');
    },
  });
  expect(['SIGKILL', 0], at).toContain(end);
  const left = readWorkspace(pod);
  const temporaries = listTemporaries(pod);
  expect(temporaries.length, `${at}: ${temporaries.join()}`).toBeLessThanOrEqual(end === 0 ? 0 : 1);

  await pod.start();
  using client = await pod.client();
  await client.call('Subscribe');
  const found = await askTestimony(client);
  expect(told.missingFrom(found), at).toEqual([]);
  expect(findInvalid(found.items), at).toEqual([]);
  expect(readWorkspace(pod), `${at}: a start alone changes no file`).toEqual(left);
  for (const { call, isDone } of STORY.effects)
    if (isDone(left))
      expect(
        found.items.some((item) => item.type === 'tool_call' && item.name === call),
        `${at}: the effect of ${call} is there, its call is not`,
      ).toBe(true);

  await finishStory(client, { at, told, found });
  expect(readWorkspace(pod), at).toEqual(STORY.after);
  expect(listTemporaries(pod), at).toEqual(temporaries);
  const last = await askTestimony(client);
  expect(findInvalid(last.items), at).toEqual([]);
  expect(last.items.slice(0, found.items.length), at).toEqual(found.items);
  expect(last.status, at).toMatchObject({ lastOutcome: 'finished', interrupted: false });
  await client.call('Shutdown');
  expect(await pod.exit(), at).toBe(0);
  expect(listLeftovers(pod), at).toEqual([]);
  if (end === 0) return 'unharmed';
  if (told.endedRuns().size > 0) return 'after the run';
  return told.told('run_start').length > 0 ? 'in the run' : 'before the run';
}

type Found = Awaited<ReturnType<typeof askTestimony>>;

/** Goes on from wherever the death left the run: by a Resume, by the input once more, or not at all. */
async function finishStory(
  client: WireClient,
  { at, told, found: { status, items } }: { at: string; told: Acknowledged; found: Found },
): Promise<void> {
  const { lastOutcome, interrupted } = status;
  if (told.endedRuns().size > 0) expect(lastOutcome, at).toBe('finished');
  if (told.told('run_start').length > 0) expect(lastOutcome, at).not.toBe(null);
  if (lastOutcome === 'finished') {
    expect(interrupted, at).toBe(false);
    return;
  }
  if (lastOutcome === null) {
    expect(items, at).toEqual([]);
    const report = await client.call('Run', { input: STORY.input });
    expect(report, at).toMatchObject({ outcome: 'finished' });
    return;
  }
  expect({ lastOutcome, interrupted }, at).toEqual({
    lastOutcome: 'interrupted',
    interrupted: true,
  });
  const report = await client.call('Resume');
  expect(report, at).toMatchObject({ outcome: 'finished', text: 'all is done' });
  // A death may come after the run was stored and before anybody was told.
  const run = told.told('run_start')[0]?.data['runId'] ?? report['continues'];
  expect(report['continues'], at).toBe(run);
}
