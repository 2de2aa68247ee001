import { describe, expect, test } from 'vitest';
import type { PodEvent } from '../../../../client/pod-client.ts';
import { FollowRun } from '../../../../client/podctl/follow-run.ts';
import { delta, done, numbered, report, runEnd, runStart } from '../../../support/pod-events.ts';

function follow(): { readonly seen: PodEvent[]; readonly following: FollowRun } {
  const seen: PodEvent[] = [];
  return { seen, following: new FollowRun((event) => seen.push(event)) };
}

describe('FollowRun', () => {
  const whole = numbered(runStart(), delta(1, 0, 'do'), done(1, 'done'), runEnd());

  test('CLI-2: the events of the run are shown in order, whenever it becomes known which it is', async () => {
    for (let known = 0; known <= whole.length; known += 1) {
      const { seen, following } = follow();
      for (const event of whole.slice(0, known)) following.take(event);
      following.follow('r1');
      for (const event of whole.slice(known)) following.take(event);
      expect(seen).toEqual(whole);
      expect(await following.ended).toEqual({
        runId: 'r1',
        outcome: 'finished',
        report: report(),
      });
    }
  });

  test('CLI-2: other runs before and after it are not shown', () => {
    const { seen, following } = follow();
    const events = numbered(
      delta(1, 0, 'theirs'),
      runEnd({ runId: 'r0' }),
      runStart('r1'),
      delta(2, 0, 'ours'),
      runEnd({ runId: 'r1' }),
      runStart('r2'),
      delta(3, 0, 'theirs'),
    );
    for (const event of events.slice(0, 4)) following.take(event);
    following.follow('r1');
    for (const event of events.slice(4)) following.take(event);
    expect(seen).toEqual(events.slice(2, 5));
  });

  test('INV-12: of what comes before the run is known, deltas beyond the limit are dropped', async () => {
    const { seen, following } = follow();
    const deltas = Array.from({ length: 20_000 }, (_, offset) => delta(1, offset, 'x'));
    for (const event of numbered(runStart(), ...deltas, done(1, 'all'), runEnd()))
      following.take(event);
    following.follow('r1');
    expect(seen.map(({ event }) => event).filter((name) => name !== 'text_delta')).toEqual([
      'run_start',
      'text_done',
      'run_end',
    ]);
    expect(seen).toHaveLength(10_002);
    await following.ended;
  });

  test('INV-12: nothing of an earlier run is kept once the next begins', async () => {
    const { seen, following } = follow();
    const theirs = Array.from({ length: 10_000 }, (_, offset) => delta(1, offset, 'x'));
    const ours = numbered(runStart('r1'), delta(2, 0, 'ours'), runEnd());
    for (const event of [...numbered(runStart('r0'), ...theirs), ...ours]) following.take(event);
    following.follow('r1');
    expect(seen).toEqual(ours);
    await following.ended;
  });
});
