import type { Numbered } from '../../protocol/events.ts';
import type { Params, Reply } from '../../protocol/methods.ts';
import { assertNever, invariant } from '../core/assert.ts';
import { CheckedItems } from '../core/checked-items.ts';
import { Fault } from '../core/fault.ts';
import { pageOf } from '../core/history-page.ts';
import { LIMITS } from '../core/limits.ts';
import type { LifeEvent, PodState } from '../core/pod-state.ts';
import { nextPodState, toWireState } from '../core/pod-state.ts';
import { lastRunOf } from '../core/session-state.ts';
import { NO_USAGE } from '../core/usage.ts';
import type { PodControl } from '../ports/pod-control.ts';
import type { Deferred } from '../support/deferred.ts';
import { deferred, ignore } from '../support/deferred.ts';
import { shapeFor } from '../worker/request-shape.ts';
import type { RunEnd } from '../worker/run-turns.ts';
import { Inbox } from './inbox.ts';
import { prepareRun, runWorker } from './launch.ts';
import { LingeringRuns } from './lingering-runs.ts';
import type { RunRequest } from './open-run.ts';
import { OpenRun } from './open-run.ts';
import type { Control, Prepared, StopReason, Work } from './pod-events.ts';
import type { PodParts } from './pod-parts.ts';
import { endBatch, startBatch, toReport } from './run-batches.ts';
import { refuseWaiting } from './refuse-waiting.ts';
import { lostScope, withRun } from './run-faults.ts';
import { toStatus } from './status.ts';

/**
 * One agent: a loop that takes one event at a time and awaits nothing but the journal. Runs work beside it; their ends
 * come back as events. Every change of state goes through `#move`, every run through `#begin`.
 */
export class Pod implements PodControl {
  readonly #parts: PodParts;
  readonly #inbox = new Inbox<Control, Work>(LIMITS.workLane);
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #lingering = new LingeringRuns();
  readonly #checks: { readonly built: CheckedItems; readonly sent: CheckedItems };
  #state: PodState = { kind: 'starting' };
  #run: OpenRun | null = null;
  #stop: { readonly reason: StopReason; readonly waiters: Deferred<void>[] } | null = null;
  #nextBlock = 0;

  constructor(parts: PodParts) {
    this.#parts = parts;
    const shape = shapeFor(parts.model);
    this.#checks = { built: new CheckedItems(shape), sent: new CheckedItems(shape) };
    this.#move({ kind: 'ready' });
  }

  run({ input, wait = 'ended' }: Params<'Run'>): Promise<Reply<'Run'>> {
    const answer = deferred<Reply<'Run'>>();
    const request: RunRequest = { trigger: 'run', input, continues: null, wait, answer };
    return this.#askWork({ kind: 'runAsked', request }, answer);
  }

  resume({ wait = 'ended' }: Params<'Resume'>): Promise<Reply<'Resume'>> {
    const answer = deferred<Reply<'Run'>>();
    const request: RunRequest = { trigger: 'resume', input: null, continues: null, wait, answer };
    return this.#askWork({ kind: 'resumeAsked', request }, answer);
  }

  cancel(): Promise<Reply<'Cancel'>> {
    const answer = deferred<Reply<'Cancel'>>();
    this.#inbox.pushControl({ kind: 'cancelAsked', answer });
    return answer.promise;
  }

  shutdown({ mode = 'now', deadlineMs }: Params<'Shutdown'>): Promise<void> {
    return this.stop('client', mode, deadlineMs);
  }

  stop(
    reason: StopReason,
    mode: 'now' | 'graceful',
    deadlineMs: number = mode === 'now' ? LIMITS.shutdownNowMs : LIMITS.shutdownGracefulMs,
  ): Promise<void> {
    const answer: Deferred<void> = deferred();
    if (this.#state.kind === 'stopped') answer.resolve();
    else this.#inbox.pushControl({ kind: 'stopAsked', mode, deadlineMs, reason, answer });
    return answer.promise;
  }

  /** Something that may still touch a file, though nobody waits for it any more. */
  hasSurvivors(): boolean {
    // After a bug the open run was never closed, and what it began may still be on its way to the disk.
    return this.#lingering.any() || (this.#run?.activity.list().length ?? 0) > 0;
  }

  status(): ReturnType<PodControl['status']> {
    return toStatus(this.#parts, this.view());
  }

  view(): ReturnType<PodControl['view']> {
    const run = this.#run === null ? {} : { run: this.#run.view() };
    return { ...toWireState(this.#state), ...run };
  }

  history(params: Params<'GetHistory'>): ReturnType<PodControl['history']> {
    const { name, cwd, config, scope } = this.#parts;
    const session = this.#parts.journal.session();
    if (params.sessionId !== undefined && params.sessionId !== session.sessionId)
      throw new Fault('unknown_session', `this Pod's live session is ${session.sessionId}`);
    const page = pageOf(session.items, params.from ?? 0, {
      items: params.limit ?? LIMITS.historyPageItems,
      bytes: LIMITS.historyPageBytes,
    });
    const { kind, model } = config.provider;
    const greeting = {
      pod: name,
      cwd,
      provider: kind,
      model,
      scope: scope.effective(),
      tools: [...config.tools],
    };
    return { sessionId: session.sessionId, ...page, greeting };
  }

  /** The loop. Resolves when the Pod has stopped; rejects with a bug, after which the process has to end. */
  async serve(): Promise<void> {
    try {
      while (this.#state.kind !== 'stopped') await this.#handle(await this.#inbox.next());
    } catch (error) {
      // Whoever waits learns that it was a bug, whatever they waited for.
      this.#run?.cancel({ kind: 'shutdown' });
      this.#run?.failed(error);
      this.#run?.tellSurvivors();
      for (const waiter of this.#stop?.waiters ?? []) waiter.reject(error);
      throw error;
    } finally {
      for (const timer of this.#timers) clearTimeout(timer);
      refuseWaiting(this.#inbox.drain());
    }
  }

  /** A bug that came up elsewhere in the process: the loop ends by it. */
  meetBug(error: unknown): void {
    this.#inbox.pushControl({ kind: 'bugMet', error });
  }

  async #handle(event: Control | Work): Promise<void> {
    switch (event.kind) {
      case 'runAsked':
      case 'resumeAsked':
        this.#onWorkAsked(event);
        return;
      case 'cancelAsked':
        this.#onCancelAsked(event.answer);
        return;
      case 'stopAsked':
        await this.#onStopAsked(event);
        return;
      case 'prepareEnded':
        await this.#onPrepareEnded(event.run, event.prepared);
        return;
      case 'workerEnded':
        await this.#onWorkerEnded(event.run, event.end);
        return;
      case 'cancelOverdue':
        event.run.tellSurvivors();
        return;
      case 'stopCancelDue':
        this.#run?.cancel({ kind: 'shutdown' });
        return;
      case 'stopOverdue':
        await this.#abandonRun();
        return;
      case 'bugMet':
        throw event.error;
      default:
        assertNever(event, 'Pod.#handle');
    }
  }

  #onWorkAsked({ kind, request }: Work): void {
    const { answer } = request;
    if (this.#state.kind === 'stopping') {
      answer.reject(new Fault('shutting_down', 'this Pod is stopping'));
      return;
    }
    if (this.#state.kind !== 'idle') {
      const data = this.view();
      const open = data.run === undefined ? '' : `: run ${data.run.id} is open`;
      answer.reject(new Fault('already_running', `this Pod is ${data.state}${open}`, { data }));
      return;
    }
    if (kind === 'runAsked') {
      this.#begin(request);
      return;
    }
    const lastRun = lastRunOf(this.#parts.journal.session());
    if (lastRun === null || lastRun.outcome === 'finished') {
      const why = lastRun === null ? 'no run was stored yet' : 'the last run finished';
      answer.reject(new Fault('nothing_to_resume', why));
      return;
    }
    this.#begin({ ...request, continues: lastRun.runId });
  }

  // The one place that starts runs.
  #begin(request: RunRequest): void {
    const run = new OpenRun(this.#parts.newRunId(), request, this.#parts.clock.now());
    this.#run = run;
    this.#moveAndTell({ kind: 'runAccepted', run: run.id });
    const prepare = async (): Promise<void> => {
      const prepared = await prepareRun(this.#parts, run);
      this.#inbox.pushControl({ kind: 'prepareEnded', run, prepared });
    };
    ignore(prepare(), 'its failure is in the event');
  }

  async #onPrepareEnded(run: OpenRun, prepared: Prepared): Promise<void> {
    if (run.signal.aborted) {
      // Nothing was stored, so there is no record and no event: as if it had never been asked for.
      const tally = { turns: 0, usage: NO_USAGE };
      const session = this.#parts.journal.session();
      await this.#over(run, { kind: 'prepareAbandoned', run: run.id });
      run.ended(toReport(session, run, { kind: 'cancelled', tally }));
      return;
    }
    try {
      if (prepared.kind === 'failed') throw prepared.error;
      await this.#parts.journal.commit(startBatch(this.#parts, run, prepared.systemPrompt));
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      await this.#over(run, { kind: 'prepareAbandoned', run: run.id });
      this.#parts.log.error('a run could not begin', { runId: run.id, err: error });
      run.failed(withRun(error, run.id));
      return;
    }
    const { trigger } = run.request;
    this.#parts.log.info('a run began', { runId: run.id, trigger });
    this.#moveAndTell({ kind: 'prepared', run: run.id });
    run.accepted();
    ignore(this.#work(run), 'its end is an event');
  }

  async #work(run: OpenRun): Promise<void> {
    try {
      const end = await runWorker(this.#parts, run, {
        checks: this.#checks,
        nextBlock: () => (this.#nextBlock += 1),
        moved: (progress) => this.#tell({ ...progress, run: run.id }),
      });
      this.#inbox.pushControl({ kind: 'workerEnded', run, end });
    } catch (error) {
      this.#inbox.pushControl({ kind: 'bugMet', error });
    }
  }

  async #onWorkerEnded(run: OpenRun, end: RunEnd): Promise<void> {
    // A stop that could not wait for it has closed its books; the next start finds it open and says so.
    if (this.#run !== run) return;
    const failure = await this.#storeEnd(run, end);
    const { turns } = end.tally;
    if (failure === null)
      this.#parts.log.info('a run ended', { runId: run.id, how: end.kind, turns });
    else this.#parts.log.warn('a run failed', { runId: run.id, turns, err: failure });
    await this.#over(run, { kind: 'runEnded', run: run.id, next: 'idle' });
    if (failure !== null) run.failed(failure);
    else if (this.#stop?.reason === 'fenced') run.failed(withRun(lostScope(), run.id));
    else if (end.kind !== 'failed') run.ended(toReport(this.#parts.journal.session(), run, end));
  }

  /** Answers why the run counts as failed, or null. */
  async #storeEnd(run: OpenRun, end: RunEnd): Promise<Fault | null> {
    const fault = end.kind === 'failed' ? withRun(end.fault, run.id) : null;
    try {
      await this.#parts.journal.commit(endBatch(this.#parts, run, end));
      return fault;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      // Its terminal record is written by the next run, or at the next start. Clients are told now.
      const data = { code: 'storage_error' as const, message: error.message, runId: run.id };
      const { code, message } = data;
      await this.#parts.journal.commit({
        events: [
          { event: 'error', data },
          { event: 'run_end', data: { runId: run.id, error: { code, message } } },
        ],
      });
      return fault ?? withRun(error, run.id);
    }
  }

  #onCancelAsked(answer: Deferred<Reply<'Cancel'>>): void {
    const run = this.#run;
    if (run === null) {
      answer.reject(new Fault('not_running', 'no run is open'));
      return;
    }
    run.cancel({ kind: 'client' });
    run.waitForQuiet(answer);
    this.#after(LIMITS.cancelMs, { kind: 'cancelOverdue', run });
  }

  async #onStopAsked(event: Extract<Control, { kind: 'stopAsked' }>): Promise<void> {
    if (this.#stop !== null) {
      // A second stop can only be more urgent.
      this.#stop.waiters.push(event.answer);
      if (event.mode === 'now') {
        this.#run?.cancel({ kind: 'shutdown' });
        this.#after(event.deadlineMs - LIMITS.stopAbandonMs, { kind: 'stopOverdue' });
      }
      return;
    }
    this.#stop = { reason: event.reason, waiters: [event.answer] };
    if (event.reason === 'fenced') {
      const data = { epoch: this.#parts.epoch };
      await this.#parts.journal.commit({ events: [{ event: 'fenced', data }] });
    }
    this.#moveAndTell({ kind: 'stopRequested' });
    if (this.#run === null) {
      await this.#finishStop();
      return;
    }
    if (event.mode === 'now') this.#run.cancel({ kind: 'shutdown' });
    else this.#after(event.deadlineMs - LIMITS.stopCancelMs, { kind: 'stopCancelDue' });
    this.#after(event.deadlineMs - LIMITS.stopAbandonMs, { kind: 'stopOverdue' });
  }

  async #abandonRun(): Promise<void> {
    const run = this.#run;
    if (run === null || this.#stop === null) return;
    this.#parts.log.error('the run did not end before the stop', {
      survivors: run.activity.list(),
    });
    run.tellSurvivors();
    run.failed(new Fault('shutting_down', 'the Pod stopped before the run had ended'));
    await this.#over(run, { kind: 'runEnded', run: run.id, next: 'idle' });
  }

  /** The run is closed; a stop that waited for it goes on. */
  async #over(run: OpenRun, event: LifeEvent): Promise<void> {
    invariant(this.#run === run, `run ${run.id} is over twice`);
    this.#run = null;
    this.#lingering.add(run);
    this.#moveAndTell(event);
    if (this.#stop !== null) await this.#finishStop();
  }

  async #finishStop(): Promise<void> {
    invariant(this.#stop !== null, 'nobody asked for a stop');
    const { reason, waiters } = this.#stop;
    const at = this.#parts.clock.now();
    const events: Numbered[] = [{ event: 'shutdown', data: { reason } }];
    try {
      await this.#parts.journal.commit({ journal: [{ kind: 'stopped', at, reason }], events });
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.#parts.log.error('the stop could not be recorded', { err: error });
    }
    this.#parts.log.info('the Pod stops', { reason });
    this.#move({ kind: 'drained' });
    for (const waiter of waiters) waiter.resolve();
  }

  #askWork(event: Work, answer: Deferred<Reply<'Run'>>): Promise<Reply<'Run'>> {
    if (this.#state.kind === 'stopped')
      answer.reject(new Fault('shutting_down', 'this Pod has stopped'));
    else if (!this.#inbox.pushWork(event))
      answer.reject(new Fault('busy', `${LIMITS.workLane} requests wait already`));
    return answer.promise;
  }

  #after(ms: number, event: Control): void {
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        this.#inbox.pushControl(event);
      },
      Math.max(0, ms),
    );
    this.#timers.add(timer);
  }

  #move(event: LifeEvent): void {
    this.#state = nextPodState(this.#state, event);
  }

  #moveAndTell(event: LifeEvent): void {
    ignore(this.#tell(event), 'an event alone touches no disk');
  }

  async #tell(event: LifeEvent): Promise<void> {
    this.#move(event);
    await this.#parts.journal.commit({
      events: [{ event: 'state', data: toWireState(this.#state) }],
    });
  }
}
