import type { PodEventBody } from '../../protocol/events.ts';
import type { RunReport } from '../../protocol/report.ts';
import type { PodEvent } from '../../client/pod-client.ts';

/** Events as a daemon would number them, from 1. */
export function numbered(...bodies: readonly PodEventBody[]): PodEvent[] {
  return bodies.map((body, index) => ({ epoch: 1, seq: index + 1, ts: 0, ...body }));
}

export function report(changes: Partial<RunReport> = {}): RunReport {
  return {
    runId: 'r1',
    outcome: 'finished',
    text: 'done',
    turns: 1,
    usage: { inputTotal: 1, cacheRead: 0, cacheWrite: 0, output: 1 },
    sessionId: 's1',
    ...changes,
  };
}

export function runStart(runId = 'r1'): PodEventBody {
  return { event: 'run_start', data: { runId, trigger: 'run' } };
}

export function runEnd(changes: Partial<RunReport> = {}): PodEventBody {
  const whole = report(changes);
  return {
    event: 'run_end',
    data: { runId: whole.runId, outcome: whole.outcome, report: whole },
  };
}

export function delta(block: number, offset: number, text: string): PodEventBody {
  return { event: 'text_delta', data: { block, offset, text } };
}

export function done(block: number, text: string): PodEventBody {
  return { event: 'text_done', data: { block, text } };
}
