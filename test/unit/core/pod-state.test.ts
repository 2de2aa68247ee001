import { describe, expect, test } from 'vitest';
import { InvariantError } from '../../../daemon/core/assert.ts';
import { runId } from '../../../daemon/core/ids.ts';
import type { LifeEvent, PodState } from '../../../daemon/core/pod-state.ts';
import { nextPodState, toWireState } from '../../../daemon/core/pod-state.ts';

const run = runId('r1');
const other = runId('r2');

const STATES = {
  starting: { kind: 'starting' },
  idle: { kind: 'idle' },
  preparing: { kind: 'running', run, phase: 'preparing' },
  requesting: { kind: 'running', run, phase: 'requesting' },
  streaming: { kind: 'running', run, phase: 'streaming' },
  tools: { kind: 'running', run, phase: 'tools' },
  compactingInRun: { kind: 'running', run, phase: 'compacting' },
  compactingAlone: { kind: 'compacting' },
  paused: { kind: 'paused', run },
  stoppingInRun: { kind: 'stopping', run },
  stopping: { kind: 'stopping', run: null },
  stopped: { kind: 'stopped' },
} as const satisfies Record<string, PodState>;
type StateName = keyof typeof STATES;

const EVENTS = {
  ready: { kind: 'ready', paused: null },
  readyPaused: { kind: 'ready', paused: run },
  runAccepted: { kind: 'runAccepted', run },
  prepareAbandoned: { kind: 'prepareAbandoned', run },
  prepared: { kind: 'prepared', run },
  answerBegan: { kind: 'answerBegan', run },
  answerHadCalls: { kind: 'answerHadCalls', run },
  answerRetried: { kind: 'answerRetried', run },
  turnContinued: { kind: 'turnContinued', run },
  resultsCommitted: { kind: 'resultsCommitted', run },
  yielded: { kind: 'yielded', run },
  compactedInRun: { kind: 'compactedInRun', run },
  pauseReached: { kind: 'pauseReached', run },
  runEnded: { kind: 'runEnded', run, next: 'idle' },
  runEndedOverThreshold: { kind: 'runEnded', run, next: 'compacting' },
  compactAsked: { kind: 'compactAsked' },
  compactionEnded: { kind: 'compactionEnded' },
  resumedWithCalls: { kind: 'resumed', run, openCalls: 'some' },
  resumedWithout: { kind: 'resumed', run, openCalls: 'none' },
  stillUndecided: { kind: 'stillUndecided' },
  pausedCancelled: { kind: 'pausedCancelled' },
  pausedAbandoned: { kind: 'pausedAbandoned', run },
  stopRequested: { kind: 'stopRequested' },
  drained: { kind: 'drained' },
} as const satisfies Record<string, LifeEvent>;
type EventName = keyof typeof EVENTS;

/** The whole table: what is not here is impossible. */
const TABLE: Record<StateName, Partial<Record<EventName, StateName>>> = {
  starting: { ready: 'idle', readyPaused: 'paused', stopRequested: 'stopping' },
  idle: { runAccepted: 'preparing', compactAsked: 'compactingAlone', stopRequested: 'stopping' },
  preparing: {
    prepared: 'requesting',
    prepareAbandoned: 'idle',
    pauseReached: 'paused',
    runEnded: 'idle',
    runEndedOverThreshold: 'compactingAlone',
    stopRequested: 'stoppingInRun',
  },
  requesting: {
    answerBegan: 'streaming',
    answerRetried: 'requesting',
    yielded: 'compactingInRun',
    pauseReached: 'paused',
    runEnded: 'idle',
    runEndedOverThreshold: 'compactingAlone',
    stopRequested: 'stoppingInRun',
  },
  streaming: {
    answerHadCalls: 'tools',
    answerRetried: 'requesting',
    turnContinued: 'requesting',
    pauseReached: 'paused',
    runEnded: 'idle',
    runEndedOverThreshold: 'compactingAlone',
    stopRequested: 'stoppingInRun',
  },
  tools: {
    resultsCommitted: 'requesting',
    pauseReached: 'paused',
    runEnded: 'idle',
    runEndedOverThreshold: 'compactingAlone',
    stopRequested: 'stoppingInRun',
  },
  compactingInRun: {
    compactedInRun: 'requesting',
    pauseReached: 'paused',
    runEnded: 'idle',
    runEndedOverThreshold: 'compactingAlone',
    stopRequested: 'stoppingInRun',
  },
  compactingAlone: { compactionEnded: 'idle', stopRequested: 'stopping' },
  paused: {
    resumedWithCalls: 'tools',
    resumedWithout: 'requesting',
    stillUndecided: 'paused',
    pausedCancelled: 'idle',
    pausedAbandoned: 'requesting',
    stopRequested: 'stopping',
  },
  stoppingInRun: {
    ready: 'stoppingInRun',
    readyPaused: 'stoppingInRun',
    prepareAbandoned: 'stopping',
    prepared: 'stoppingInRun',
    answerBegan: 'stoppingInRun',
    answerHadCalls: 'stoppingInRun',
    answerRetried: 'stoppingInRun',
    turnContinued: 'stoppingInRun',
    resultsCommitted: 'stoppingInRun',
    yielded: 'stoppingInRun',
    compactedInRun: 'stoppingInRun',
    pauseReached: 'stopping',
    runEnded: 'stopping',
    runEndedOverThreshold: 'stopping',
    compactionEnded: 'stoppingInRun',
    stopRequested: 'stoppingInRun',
  },
  stopping: {
    ready: 'stopping',
    readyPaused: 'stopping',
    compactionEnded: 'stopping',
    stopRequested: 'stopping',
    drained: 'stopped',
  },
  stopped: { stopRequested: 'stopped' },
};

describe('nextPodState', () => {
  for (const state of Object.keys(STATES) as StateName[])
    test(`PROTO-20 INV-8: ${state} goes where the table says on every event, and nowhere else`, () => {
      for (const event of Object.keys(EVENTS) as EventName[]) {
        const expected = TABLE[state][event];
        const move = (): PodState => nextPodState(STATES[state], EVENTS[event]);
        if (expected === undefined) expect(move, event).toThrow(InvariantError);
        else expect(move(), event).toEqual(STATES[expected]);
      }
    });

  test('INV-3: a report about another run than the open one is a bug, in every state with a run', () => {
    for (const state of [STATES.preparing, STATES.streaming, STATES.tools, STATES.stoppingInRun])
      for (const event of Object.values(EVENTS))
        if ('run' in event && !['runAccepted', 'resumed', 'pausedAbandoned'].includes(event.kind))
          expect(() => nextPodState(state, { ...event, run: other })).toThrow(InvariantError);
  });

  test('PROTO-20: a compaction without a run is running, compacting on the wire', () => {
    expect(toWireState(STATES.compactingAlone)).toEqual({ state: 'running', phase: 'compacting' });
    expect(toWireState(STATES.tools)).toEqual({ state: 'running', phase: 'tools' });
    expect(toWireState(STATES.idle)).toEqual({ state: 'idle' });
  });
});
