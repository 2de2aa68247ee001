import type { RunReport } from '../../protocol/report.ts';
import { assertNever } from '../core/assert.ts';
import type { QueuedInput } from '../core/entry.ts';
import { Fault } from '../core/fault.ts';
import { hasRoom, QUEUE_FULL } from '../core/run-intake.ts';
import { lastRunOf } from '../core/session-state.ts';
import type { Asker } from './askers.ts';
import { type FoundRun, reportOfNone, type StoredRun } from './find-run.ts';
import { type AskedAgain, type LookUp, LookUps } from './look-ups.ts';
import { NO_REQUEST } from './open-run.ts';
import type { Control } from './pod-events.ts';
import { queueInputBatch } from './queue-batches.ts';
import type { RequestSurroundings } from './request-surroundings.ts';

/**
 * Requests whose run is over, by what is stored of it (PROTO-17). A run that its process died in is taken up by whoever
 * asks for it again: at once if it was the last, else behind what waits. Called by the Pod's loop alone.
 */
export class RunsAskedAgain {
  readonly #around: RequestSurroundings;
  readonly #lookUps: LookUps;

  constructor(around: RequestSurroundings) {
    this.#around = around;
    this.#lookUps = new LookUps(around.parts.journal, around.signal, (lookUp, found) => {
      around.push({ kind: 'runLookedUp', lookUp, found });
    });
  }

  lookUp(asked: AskedAgain, run: StoredRun, asker: Asker): void {
    this.#lookUps.begin(asked, run, asker);
  }

  /** For those whose answer is still being read. */
  failAll(error: unknown): void {
    this.#lookUps.failAll(error);
  }

  async onLookedUp({ lookUp, found }: Extract<Control, { kind: 'runLookedUp' }>): Promise<void> {
    const askers = this.#lookUps.end(lookUp);
    try {
      await this.#settle(lookUp, found, askers);
    } catch (error) {
      for (const { answer } of askers) answer.reject(error);
      throw error;
    }
  }

  async #settle(lookUp: LookUp, found: FoundRun, askers: readonly Asker[]): Promise<void> {
    const { runs } = this.#around;
    const { asked, run } = lookUp;
    switch (found.kind) {
      case 'reported':
        answerAll(askers, run, found.report);
        return;
      case 'failed':
        failAll(askers, run, found.fault);
        return;
      case 'interrupted':
        if (found.continuedBy === null) await this.#takeUp(lookUp, askers);
        else if (runs.open?.id === found.continuedBy) runs.open.add(...askers);
        else this.#lookUps.begin(asked, { ...run, runId: found.continuedBy }, ...askers);
        return;
      case 'absent':
        // It is under way by now, or waits; its end could not be stored; or it never began.
        if (runs.open?.id === run.runId) runs.open.add(...askers);
        else if (this.#waiting(({ runId }) => runId === run.runId) !== undefined)
          runs.queueAskers.add(run.runId, ...askers);
        else if (this.#isLast(run)) await this.#takeUp(lookUp, askers);
        // Its end may have been stored while the log was read.
        else if (asked.isReread !== true)
          this.#lookUps.begin({ ...asked, isReread: true }, run, ...askers);
        else answerAll(askers, run, reportOfNone(run.runId, run.sessionId));
        return;
      default:
        assertNever(found, 'RunsAskedAgain.#settle');
    }
  }

  async #takeUp({ asked, run }: LookUp, askers: readonly Asker[]): Promise<void> {
    const { parts, life, runs, stopping, view } = this.#around;
    const { kind: state } = life.state;
    if (state === 'stopping' || state === 'stopped') {
      failAll(askers, run, stopping());
      return;
    }
    if (runs.open?.request.continues === run.runId) {
      runs.open.add(...askers);
      return;
    }
    const waiting = this.#waiting(({ continues }) => continues === run.runId);
    if (waiting !== undefined) {
      runs.queueAskers.add(waiting.runId, ...askers);
      return;
    }
    if (state === 'paused' && !asked.queue) {
      const says = `run ${run.runId} was cut off by a crash, and this Pod is ${state}`;
      failAll(askers, run, new Fault('already_running', says, { data: view() }));
      return;
    }
    const { seen, text } = asked;
    const continues = run.runId;
    if (state === 'idle' && this.#isLast(run)) {
      const request = { ...NO_REQUEST, trigger: 'resume' as const, continues, seen };
      runs.begin(parts.newRunId(), request, askers);
      return;
    }
    const runId = parts.newRunId();
    try {
      if (!hasRoom(parts.journal.state(), text)) throw new Fault('busy', QUEUE_FULL);
      await parts.journal.commit(queueInputBatch(parts, { text, seen, continues }, runId));
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      for (const { answer } of askers) answer.reject(error);
      return;
    }
    runs.queueAskers.add(runId, ...askers);
    runs.beginNext();
  }

  #waiting(isMeant: (input: QueuedInput) => boolean): QueuedInput | undefined {
    return this.#around.parts.journal.state().inputs.find(isMeant);
  }

  #isLast({ runId }: StoredRun): boolean {
    const last = lastRunOf(this.#around.parts.journal.session());
    return last?.runId === runId && last.outcome === 'interrupted';
  }
}

function answerAll(askers: readonly Asker[], { runId }: StoredRun, report: RunReport): void {
  for (const { wait, answer } of askers) answer.resolve(wait === 'accepted' ? { runId } : report);
}

/** Whoever waits for acceptance only: it was accepted. */
function failAll(askers: readonly Asker[], { runId }: StoredRun, fault: Fault): void {
  for (const { wait, answer } of askers)
    if (wait === 'accepted') answer.resolve({ runId });
    else answer.reject(fault);
}
