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

  test('INV-12: what is held before the run is known has a limit, and the newest stays', () => {
    const { seen, following } = follow();
    for (let i = 0; i < 20_000; i += 1) following.take(numbered(delta(1, i, 'x'))[0] as PodEvent);
    for (const event of whole) following.take(event);
    following.follow('r1');
    expect(seen).toEqual(whole);
  });
});
