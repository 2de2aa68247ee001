import { describe, expect, test } from 'vitest';
import type { QueuedInput, SeenRequest } from '../../../daemon/core/entry.ts';
import { runId, sessionId } from '../../../daemon/core/ids.ts';
import { LIMITS } from '../../../daemon/core/limits.ts';
import { type AskedRun, type OpenRequest, planIntake } from '../../../daemon/core/run-intake.ts';
import { seenAs } from '../../../daemon/core/seen-requests.ts';

const [R1, R2] = [runId('r1'), runId('r2')];
const run = { runId: R1, sessionId: sessionId('s') };

const asked = (changes: Partial<AskedRun> & { readonly id?: string } = {}): AskedRun => {
  const { id, ...more } = changes;
  const text = more.text ?? 'go';
  return {
    text,
    seen: seenAs('Run', id, text),
    queue: false,
    preempt: false,
    abandonPaused: false,
    ...more,
  };
};
const taken = (id: string, text = 'go'): SeenRequest => {
  const seen = seenAs('Run', id, text);
  if (seen === null) throw new Error('no id');
  return { ...seen, at: 1, run };
};
const open = (seen: AskedRun['seen'] = null): OpenRequest => ({ runId: R2, seen });
const waiting = (text = 'x'): QueuedInput => ({ runId: R1, text });

type Journal = Parameters<typeof planIntake>[1];
const journal = (changes: Partial<Journal> = {}): Journal => ({
  inputs: [],
  requests: [],
  ...changes,
});

describe('planIntake', () => {
  test.each<
    [string, Parameters<typeof planIntake>[0], Journal, OpenRequest | null, AskedRun, object]
  >([
    ['idle', 'idle', journal(), null, asked(), { kind: 'begin' }],
    ['a run is open', 'running', journal(), open(), asked(), { code: 'already_running' }],
    [
      'a run is open, queue',
      'running',
      journal(),
      open(),
      asked({ queue: true }),
      { kind: 'queue' },
    ],
    ['paused', 'paused', journal(), null, asked(), { code: 'already_running' }],
    [
      'paused, abandon',
      'paused',
      journal(),
      null,
      asked({ abandonPaused: true }),
      { kind: 'abandonPaused' },
    ],
    ['paused, queue', 'paused', journal(), null, asked({ queue: true }), { kind: 'queue' }],
    ['compacting', 'compacting', journal(), null, asked(), { kind: 'queue' }],
    [
      'idle with a queue that is stuck',
      'idle',
      journal({ inputs: [waiting()] }),
      null,
      asked(),
      { kind: 'begin' },
    ],
    [
      'idle with a queue that is stuck, queue',
      'idle',
      journal({ inputs: [waiting()] }),
      null,
      asked({ queue: true }),
      { kind: 'queue' },
    ],
    [
      'the same id as the open run’s, not stored yet',
      'running',
      journal(),
      open(seenAs('Run', 'a', 'go')),
      asked({ id: 'a' }),
      { kind: 'attachOpen' },
    ],
    [
      'the same id as the open run’s, another text',
      'running',
      journal(),
      open(seenAs('Run', 'a', 'stop')),
      asked({ id: 'a' }),
      { code: 'conflict' },
    ],
    [
      'an id whose run is open, by the log',
      'running',
      journal({ requests: [taken('a')] }),
      { runId: R1, seen: null },
      asked({ id: 'a' }),
      { kind: 'attachOpen' },
    ],
    [
      'an id whose input waits',
      'running',
      journal({ requests: [taken('a')], inputs: [waiting()] }),
      open(),
      asked({ id: 'a' }),
      { kind: 'attachQueued', runId: R1 },
    ],
    [
      'an id whose run is over, whatever the Pod does',
      'running',
      journal({ requests: [taken('a')] }),
      open(),
      asked({ id: 'a' }),
      { kind: 'lookUp', run },
    ],
    [
      'an id with another text',
      'idle',
      journal({ requests: [taken('a', 'stop')] }),
      null,
      asked({ id: 'a' }),
      { code: 'conflict' },
    ],
    [
      'an id of a Resume',
      'idle',
      journal({ requests: [{ ...taken('a'), method: 'Resume' }] }),
      null,
      asked({ id: 'a' }),
      { kind: 'begin' },
    ],
  ])('PROTO-17 PROTO-19: %s', (_, state, log, openRun, what, expected) => {
    expect(planIntake(state, log, openRun, what)).toMatchObject(expected);
  });

  test('PROTO-17 INV-12: the queue is bounded by number and by size; one input of any size has room', () => {
    const full = Array.from({ length: LIMITS.queuedInputs }, () => waiting());
    const plan = (inputs: readonly QueuedInput[], text: string) =>
      planIntake('running', journal({ inputs }), open(), asked({ text, queue: true }));
    expect(plan(full, 'go')).toMatchObject({ code: 'busy' });
    expect(plan(full.slice(1), 'go')).toEqual({ kind: 'queue' });
    expect(plan([], 'x'.repeat(LIMITS.queuedInputUnits))).toEqual({ kind: 'queue' });
    expect(plan([waiting()], 'x'.repeat(LIMITS.queuedInputUnits))).toMatchObject({ code: 'busy' });
  });
});
