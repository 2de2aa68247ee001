import type { Params, Reply } from '../../protocol/methods.ts';
import { assertNever, invariant } from '../core/assert.ts';
import { Fault } from '../core/fault.ts';
import { type AskedRun, type Intake, planIntake } from '../core/run-intake.ts';
import { lookUpRequest, seenAs } from '../core/seen-requests.ts';
import { lastRunOf } from '../core/session-state.ts';
import type { PodControl } from '../ports/pod-control.ts';
import type { Deferred } from '../support/deferred.ts';
import { ignore } from '../support/deferred.ts';
import { findRun, reportOfNone, type StoredRun } from './find-run.ts';
import type { Life } from './life.ts';
import type { Asker } from './open-run.ts';
import { NO_REQUEST } from './open-run.ts';
import type { Control } from './pod-events.ts';
import type { PodParts } from './pod-parts.ts';
import { noteBatch, queueInputBatch } from './queue-batches.ts';
import { lostScope } from './run-faults.ts';
import type { Runs } from './runs.ts';

export type RequestSurroundings = {
  readonly parts: PodParts;
  readonly life: Life;
  readonly runs: Runs;
  readonly push: (event: Control) => void;
  readonly view: PodControl['view'];
  readonly isFenced: () => boolean;
  /** Aborts when the Pod's loop ends. */
  readonly signal: AbortSignal;
};

/**
 * What clients ask a Pod to do: each request becomes a run, a place in the queue, a note, or the answer of a run that is
 * there already. Called by the Pod's loop alone.
 */
export class Requests {
  readonly #around: RequestSurroundings;

  constructor(around: RequestSurroundings) {
    this.#around = around;
  }

  async onRunAsked(asked: AskedRun, asker: Asker): Promise<void> {
    const { parts, life, runs } = this.#around;
    const { kind: state } = life.state;
    if (state === 'stopping' || state === 'stopped') {
      asker.answer.reject(this.#stopping());
      return;
    }
    const { open } = runs;
    const request = open === null ? null : { runId: open.id, seen: open.request.seen };
    await this.#take(planIntake(state, parts.journal.state(), request, asked), asked, asker);
  }

  async #take(intake: Intake, asked: AskedRun, asker: Asker): Promise<void> {
    const { parts, runs, view } = this.#around;
    const request = { ...NO_REQUEST, trigger: 'run' as const, input: asked.text, seen: asked.seen };
    switch (intake.kind) {
      case 'begin':
        runs.begin(parts.newRunId(), request, [asker]);
        return;
      case 'abandonPaused':
        await runs.leavePause(request, asker, (run) => ({ kind: 'pausedAbandoned', run }));
        return;
      case 'queue':
        await this.#queue(asked, asker);
        return;
      case 'attachOpen':
        invariant(runs.open !== null, 'attached to no run');
        runs.open.add(asker);
        return;
      case 'attachQueued':
        runs.queueAskers.add(intake.runId, asker);
        return;
      case 'lookUp':
        this.#lookUp(intake.run, asked.seen, asker);
        return;
      case 'refuse': {
        const data = intake.code === 'already_running' ? view() : {};
        asker.answer.reject(new Fault(intake.code, intake.says, { data }));
        return;
      }
      default:
        assertNever(intake, 'Requests.#take');
    }
  }

  async #queue(asked: AskedRun, asker: Asker): Promise<void> {
    const { parts, runs } = this.#around;
    const runId = parts.newRunId();
    try {
      await parts.journal.commit(queueInputBatch(parts, asked, runId));
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      asker.answer.reject(error);
      return;
    }
    runs.queueAskers.add(runId, asker);
    runs.beginNext();
  }

  async onResumeAsked(seen: AskedRun['seen'], asker: Asker): Promise<void> {
    const { parts, life, runs, view } = this.#around;
    const { kind: state } = life.state;
    const { answer } = asker;
    if (state === 'stopping' || state === 'stopped') {
      answer.reject(this.#stopping());
      return;
    }
    if (seen !== null && this.#isKnownResume(seen, asker)) return;
    if (state !== 'idle' && state !== 'paused') {
      const open = runs.open === null ? '' : `: run ${runs.open.id} is open`;
      answer.reject(new Fault('already_running', `this Pod is ${state}${open}`, { data: view() }));
      return;
    }
    const lastRun = lastRunOf(parts.journal.session());
    if (lastRun === null || lastRun.outcome === 'finished') {
      const why = lastRun === null ? 'no run was stored yet' : 'the last run finished';
      answer.reject(new Fault('nothing_to_resume', why));
      return;
    }
    const continues = lastRun.runId;
    const request = { ...NO_REQUEST, trigger: 'resume' as const, continues, seen };
    if (state === 'idle') runs.begin(parts.newRunId(), request, [asker]);
    else
      await runs.leavePause(request, asker, (run) => ({
        kind: 'resumed',
        run,
        openCalls: 'none',
      }));
  }

  #isKnownResume(seen: NonNullable<AskedRun['seen']>, asker: Asker): boolean {
    const { parts, runs } = this.#around;
    const { open } = runs;
    const mine = open?.request.seen;
    if (mine?.method === seen.method && mine.requestId === seen.requestId) {
      open?.add(asker);
      return true;
    }
    const before = lookUpRequest(parts.journal.state().requests, seen);
    if (before.kind === 'new' || before.kind === 'conflict') return false;
    const { run } = before.request;
    if (run === undefined) return false;
    this.#lookUp(run, seen, asker);
    return true;
  }

  async onNotifyAsked(params: Params<'Notify'>, answer: Deferred<Reply<'Notify'>>): Promise<void> {
    const { parts, life, runs } = this.#around;
    if (life.state.kind === 'stopping' || life.state.kind === 'stopped') {
      answer.reject(this.#stopping());
      return;
    }
    const { notifyId, message, from = '' } = params;
    const seen = seenAs('Notify', notifyId, `${from}\n${message}`);
    const before = seen === null ? NEW : lookUpRequest(parts.journal.state().requests, seen);
    if (before.kind === 'conflict') {
      const says = `the id ${notifyId ?? ''} was given to another note before`;
      answer.reject(new Fault('conflict', says));
      return;
    }
    if (before.kind === 'again') {
      answer.resolve({ queued: false, started: false, duplicate: true });
      return;
    }
    try {
      await parts.journal.commit(noteBatch(parts, params, seen));
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      answer.reject(error);
      return;
    }
    const started = runs.beginNext();
    answer.resolve({ queued: !started, started, duplicate: false });
  }

  /** How a run ended that is asked for again is read beside the loop, and comes back as an event. */
  #lookUp(run: StoredRun, seen: AskedRun['seen'], asker: Asker): void {
    const { parts, push, signal } = this.#around;
    const look = async (): Promise<void> => {
      const found = await findRun(parts.journal, run, signal);
      push({ kind: 'runLookedUp', run, seen, asker, found });
    };
    ignore(look(), 'its failure is in the event');
  }

  onRunLookedUp(event: Extract<Control, { readonly kind: 'runLookedUp' }>): void {
    const { runs } = this.#around;
    const { run, seen, asker, found } = event;
    const { answer, wait } = asker;
    switch (found.kind) {
      case 'reported':
        answer.resolve(wait === 'accepted' ? { runId: run.runId } : found.report);
        return;
      case 'failed':
        if (wait === 'accepted') answer.resolve({ runId: run.runId });
        else answer.reject(found.fault);
        return;
      case 'interrupted':
        if (found.continuedBy === null) this.#takeUp(event);
        else if (runs.open?.id === found.continuedBy) runs.open.add(asker);
        else this.#lookUp({ ...run, runId: found.continuedBy }, seen, asker);
        return;
      case 'absent':
        // Its end could not be stored, or it never began.
        if (this.#isLast(run)) this.#takeUp(event);
        else if (runs.open?.id === run.runId) runs.open.add(asker);
        else answer.resolve(reportOfNone(run.runId, run.sessionId));
        return;
      default:
        assertNever(found, 'Requests.onRunLookedUp');
    }
  }

  /** What its process died in is taken up by whoever asks for it again. */
  #takeUp({ run, seen, asker }: Extract<Control, { readonly kind: 'runLookedUp' }>): void {
    const { parts, life, runs } = this.#around;
    if (runs.open?.request.continues === run.runId) {
      runs.open.add(asker);
      return;
    }
    const { kind: state } = life.state;
    if (state === 'stopping' || state === 'stopped') {
      asker.answer.reject(this.#stopping());
      return;
    }
    if (this.#isLast(run) && state === 'idle') {
      const request = { ...NO_REQUEST, trigger: 'resume' as const, continues: run.runId, seen };
      runs.begin(parts.newRunId(), request, [asker]);
      return;
    }
    if (this.#isLast(run)) {
      // What keeps it from being taken up has stored nothing yet, and may come to nothing.
      const says = `run ${run.runId} was cut off by a crash, and this Pod is ${state}`;
      asker.answer.reject(new Fault('already_running', says, { data: this.#around.view() }));
      return;
    }
    const says = `run ${run.runId} was cut off by a crash, and other runs came after it: give its input again under a new id`;
    asker.answer.reject(new Fault('conflict', says));
  }

  #isLast({ runId }: StoredRun): boolean {
    const last = lastRunOf(this.#around.parts.journal.session());
    return last?.runId === runId && last.outcome === 'interrupted';
  }

  #stopping(): Fault {
    return this.#around.isFenced()
      ? lostScope()
      : new Fault('shutting_down', 'this Pod is stopping');
  }
}

const NEW = { kind: 'new' } as const;
