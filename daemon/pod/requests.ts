import type { Params, Reply } from '../../protocol/methods.ts';
import { assertNever, invariant } from '../core/assert.ts';
import { Fault } from '../core/fault.ts';
import { type AskedRun, type Intake, planIntake } from '../core/run-intake.ts';
import { lookUpRequest, seenAs } from '../core/seen-requests.ts';
import { lastRunOf } from '../core/session-state.ts';
import type { Deferred } from '../support/deferred.ts';
import type { RunsAskedAgain } from './asked-again.ts';
import type { Asker } from './askers.ts';
import { NO_REQUEST } from './open-run.ts';
import { noteBatch, queueInputBatch } from './queue-batches.ts';
import type { RequestSurroundings } from './request-surroundings.ts';

/**
 * What clients ask a Pod to do: each request becomes a run, a place in the queue, a note, or the answer of a run that is
 * there already. Called by the Pod's loop alone.
 */
export class Requests {
  readonly #around: RequestSurroundings;
  readonly #askedAgain: RunsAskedAgain;

  constructor(around: RequestSurroundings, askedAgain: RunsAskedAgain) {
    this.#around = around;
    this.#askedAgain = askedAgain;
  }

  async onRunAsked(asked: AskedRun, asker: Asker): Promise<void> {
    const { parts, life, runs } = this.#around;
    const { kind: state } = life.state;
    if (state === 'stopping' || state === 'stopped') {
      asker.answer.reject(this.#around.stopping());
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
        if (asked.preempt) this.#around.compactions.alone?.cancel({ kind: 'client' });
        return;
      case 'attachOpen':
        invariant(runs.open !== null, 'attached to no run');
        runs.open.add(asker);
        return;
      case 'attachQueued':
        runs.queueAskers.add(intake.runId, asker);
        return;
      case 'lookUp':
        this.#askedAgain.lookUp({ ...asked, seen: intake.seen }, intake.run, asker);
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
      answer.reject(this.#around.stopping());
      return;
    }
    if (seen !== null && this.#isKnownResume(seen, asker)) return;
    if (state === 'compacting') {
      const isTaken = this.#around.afterCompaction({ kind: 'resumeAsked', seen, asker });
      if (!isTaken) answer.reject(new Fault('busy', 'too many requests wait for the compaction'));
      return;
    }
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
    this.#askedAgain.lookUp({ seen, text: '', queue: false }, run, asker);
    return true;
  }

  async onNotifyAsked(params: Params<'Notify'>, answer: Deferred<Reply<'Notify'>>): Promise<void> {
    const { parts, life, runs } = this.#around;
    if (life.state.kind === 'stopping' || life.state.kind === 'stopped') {
      answer.reject(this.#around.stopping());
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
}

const NEW = { kind: 'new' } as const;
