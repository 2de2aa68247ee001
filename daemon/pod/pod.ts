import { setMaxListeners } from 'node:events';
import type { Params, Reply } from '../../protocol/methods.ts';
import { assertNever } from '../core/assert.ts';
import { Fault } from '../core/fault.ts';
import { LIMITS } from '../core/limits.ts';
import { toWireState } from '../core/pod-state.ts';
import type { AskedRun } from '../core/run-intake.ts';
import { seenAs } from '../core/seen-requests.ts';
import type { PodControl } from '../ports/pod-control.ts';
import type { Deferred } from '../support/deferred.ts';
import { deferred } from '../support/deferred.ts';
import { Semaphore } from '../support/semaphore.ts';
import { toHistory } from './history.ts';
import { RunsAskedAgain } from './asked-again.ts';
import { Compactions } from './compactions.ts';
import { Inbox } from './inbox.ts';
import { Life } from './life.ts';
import type { Control, StopReason, Work } from './pod-events.ts';
import type { PodParts } from './pod-parts.ts';
import { failEvent, refuseWaiting } from './refuse-waiting.ts';
import type { RequestSurroundings } from './request-surroundings.ts';
import { Requests } from './requests.ts';
import { lostScope } from './run-faults.ts';
import { Runs } from './runs.ts';
import { Stopping, type StopSurroundings } from './stopping.ts';
import { readUsage, toStatus } from './status.ts';

/**
 * One agent: a loop that takes one event at a time and awaits nothing but the journal. Runs work beside it; their ends
 * come back as events. Every change of state goes through `Life`, every run through `Runs`.
 */
export class Pod implements PodControl {
  readonly #parts: PodParts;
  readonly #inbox = new Inbox<Control, Work>(LIMITS.workLane);
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #loop = new AbortController();
  readonly #logReads = {
    places: new Semaphore(LIMITS.logReads),
    signal: this.#loop.signal,
  };
  readonly #life: Life;
  readonly #runs: Runs;
  readonly #compactions: Compactions;
  /** What waits until a compaction without a run has ended. */
  #afterCompaction: Work[] = [];
  readonly #requests: Requests;
  readonly #askedAgain: RunsAskedAgain;
  readonly #stopping = new Stopping();

  constructor(parts: PodParts) {
    this.#parts = parts;
    // Each look at the log listens to it.
    setMaxListeners(0, this.#loop.signal);
    this.#life = new Life(parts.journal);
    const shared = {
      parts,
      life: this.#life,
      push: (event: Control) => {
        this.#inbox.pushControl(event);
      },
      isFenced: () => this.#stopping.reason === 'fenced',
    };
    const stopping = () =>
      shared.isFenced() ? lostScope() : new Fault('shutting_down', 'this Pod is stopping');
    this.#compactions = new Compactions({ ...shared, stopping });
    this.#runs = new Runs({
      ...shared,
      compactions: this.#compactions,
      after: (ms, event) => {
        this.#after(ms, event);
      },
      afterRun: async () => {
        if (this.#stopping.reason !== null) await this.#stopping.finish(this.#aroundStop());
      },
    });
    const around: RequestSurroundings = {
      ...shared,
      runs: this.#runs,
      view: () => this.view(),
      stopping,
      compactions: this.#compactions,
      afterCompaction: (event) =>
        this.#afterCompaction.length < LIMITS.workLane && this.#afterCompaction.push(event) > 0,
      signal: this.#loop.signal,
    };
    this.#askedAgain = new RunsAskedAgain(around);
    this.#requests = new Requests(around, this.#askedAgain);
    const last = parts.journal.session().lastRun;
    this.#life.move({ kind: 'ready', paused: last?.outcome === 'paused' ? last.runId : null });
    // What waited when the last process ended goes on as soon as the loop does.
    this.#inbox.pushControl({ kind: 'queueDue' });
  }

  run(params: Params<'Run'>): Promise<Reply<'Run'>> {
    const { input: text, inputId, wait = 'ended', queue = false } = params;
    const { preempt = false, abandonPaused = false } = params;
    const answer = deferred<Reply<'Run'>>();
    const seen = seenAs('Run', inputId, text);
    const asked: AskedRun = { text, seen, queue, preempt, abandonPaused };
    return this.#askWork({ kind: 'runAsked', asked, asker: { wait, answer } }, answer);
  }

  resume({ wait = 'ended', requestId }: Params<'Resume'>): Promise<Reply<'Resume'>> {
    const answer = deferred<Reply<'Run'>>();
    const seen = seenAs('Resume', requestId, '');
    return this.#askWork({ kind: 'resumeAsked', seen, asker: { wait, answer } }, answer);
  }

  notify(params: Params<'Notify'>): Promise<Reply<'Notify'>> {
    const answer = deferred<Reply<'Notify'>>();
    return this.#askWork({ kind: 'notifyAsked', params, answer }, answer);
  }

  pause(): Promise<Reply<'Pause'>> {
    const answer = deferred<Reply<'Pause'>>();
    if (this.#life.state.kind === 'stopped')
      answer.reject(new Fault('not_running', 'this Pod has stopped'));
    else this.#inbox.pushControl({ kind: 'pauseAsked', answer });
    return answer.promise;
  }

  cancel({ clearQueue = false }: Params<'Cancel'> = {}): Promise<Reply<'Cancel'>> {
    const answer = deferred<Reply<'Cancel'>>();
    if (this.#life.state.kind === 'stopped') {
      answer.reject(new Fault('not_running', 'this Pod has stopped'));
      return answer.promise;
    }
    const { open: run } = this.#runs;
    run?.cancel({ kind: 'client' });
    const { alone } = this.#compactions;
    alone?.cancel({ kind: 'client' });
    // Not an event: the loop may be waiting for a disk that hangs.
    const overdue = setTimeout(() => {
      const left = (run ?? this.#runs.open)?.survivors() ?? alone?.quiet.survivors();
      const says = `the disk has not taken it for ${LIMITS.cancelMs} ms`;
      if (left === undefined || left.survivors.length === 0)
        answer.reject(new Fault('storage_error', says));
      else answer.resolve(left);
    }, LIMITS.cancelMs);
    this.#timers.add(overdue);
    this.#inbox.pushControl({ kind: 'cancelAsked', run, compaction: alone, clearQueue, answer });
    return answer.promise.finally(() => {
      clearTimeout(overdue);
      this.#timers.delete(overdue);
    });
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
    if (this.#life.state.kind === 'stopped') answer.resolve();
    else this.#inbox.pushControl({ kind: 'stopAsked', mode, deadlineMs, reason, answer });
    return answer.promise;
  }

  compact(params: Params<'Compact'>): Promise<Reply<'Compact'>> {
    const answer = deferred<Reply<'Compact'>>();
    return this.#askWork({ kind: 'compactAsked', params, answer }, answer);
  }

  usage(params: Params<'GetUsage'>): Promise<Reply<'GetUsage'>> {
    return readUsage(this.#parts, params, this.#logReads);
  }

  /** Something that may still touch a file, though nobody waits for it any more. */
  hasSurvivors(): boolean {
    const { open } = this.#compactions;
    return this.#runs.hasSurvivors() || (open?.quiet.activity.list().length ?? 0) > 0;
  }

  status(): ReturnType<PodControl['status']> {
    return toStatus(this.#parts, this.view());
  }

  view(): ReturnType<PodControl['view']> {
    const { open } = this.#runs;
    return { ...toWireState(this.#life.state), ...(open === null ? {} : { run: open.view() }) };
  }

  history(params: Params<'GetHistory'>): ReturnType<PodControl['history']> {
    return toHistory(this.#parts, params, this.#logReads);
  }

  /** The loop. Resolves when the Pod has stopped; rejects with a bug, after which the process has to end. */
  async serve(): Promise<void> {
    try {
      while (this.#life.state.kind !== 'stopped') await this.#take(await this.#inbox.next());
    } catch (error) {
      // Whoever waits learns that it was a bug, whatever they waited for.
      this.#runs.failAll(error);
      this.#compactions.failAll(error);
      this.#askedAgain.failAll(error);
      this.#stopping.failAll(error);
      throw error;
    } finally {
      this.#loop.abort();
      for (const timer of this.#timers) clearTimeout(timer);
      this.#runs.tellSurvivors();
      const stopped = new Fault('shutting_down', 'this Pod has stopped; the input is kept');
      this.#runs.failQueue(stopped);
      this.#compactions.failAll(stopped);
      refuseWaiting(this.#afterCompaction);
      this.#askedAgain.failAll(stopped);
      refuseWaiting(this.#inbox.drain());
    }
  }

  /** A bug that came up elsewhere in the process: the loop ends by it. */
  meetBug(error: unknown): void {
    this.#inbox.pushControl({ kind: 'bugMet', error });
  }

  async #take(event: Control | Work): Promise<void> {
    try {
      await this.#handle(event);
    } catch (error) {
      failEvent(event, error);
      throw error;
    }
  }

  async #handle(event: Control | Work): Promise<void> {
    switch (event.kind) {
      case 'runAsked':
        await this.#requests.onRunAsked(event.asked, event.asker);
        return;
      case 'resumeAsked':
        await this.#requests.onResumeAsked(event.seen, event.asker);
        return;
      case 'notifyAsked':
        await this.#requests.onNotifyAsked(event.params, event.answer);
        return;
      case 'runLookedUp':
        await this.#askedAgain.onLookedUp(event);
        return;
      case 'compactAsked':
        this.#compactions.onAsked(event.params, event.answer);
        return;
      case 'compactionEnded':
        await this.#onCompactionEnded(event);
        return;
      case 'queueDue':
        this.#runs.onQueueDue();
        return;
      case 'notesDue':
        this.#runs.onNotesDue();
        return;
      case 'cancelAsked':
        await this.#onCancelAsked(event);
        return;
      case 'pauseAsked':
        this.#onPauseAsked(event.answer);
        return;
      case 'stopAsked':
        await this.#stopping.onAsked(this.#aroundStop(), event);
        return;
      case 'prepareEnded':
        await this.#runs.onPrepareEnded(event.run, event.prepared);
        return;
      case 'workerEnded':
        await this.#runs.onWorkerEnded(event.run, event.end);
        return;
      case 'stopCancelDue':
        this.#runs.open?.cancel({ kind: 'shutdown' });
        return;
      case 'stopOverdue':
        await this.#stopping.onOverdue(this.#aroundStop());
        return;
      case 'bugMet':
        throw event.error;
      default:
        assertNever(event, 'Pod.#handle');
    }
  }

  async #onCancelAsked({
    run: asked,
    compaction,
    clearQueue,
    answer,
  }: Extract<Control, { kind: 'cancelAsked' }>): Promise<void> {
    const { open } = this.#runs;
    // What has begun since was in the queue, or was not meant.
    const meant = asked ?? (compaction === null ? open : null);
    const run = clearQueue ? (open ?? asked) : meant;
    run?.cancel({ kind: 'client' });
    const hadInputs = this.#parts.journal.state().inputs.length > 0;
    try {
      if (clearQueue) await this.#runs.clearQueue();
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      answer.reject(error);
      return;
    }
    const { state } = this.#life;
    const alone = compaction ?? this.#compactions.alone;
    if (run !== null) run.waitForQuiet(answer);
    else if (alone !== null) {
      alone.cancel({ kind: 'client' });
      alone.quiet.wait(answer);
    } else if (state.kind === 'paused') {
      try {
        const runId = await this.#runs.cancelPaused(state.run);
        answer.resolve({ runId, quiescent: true, survivors: [] });
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        answer.reject(error);
      }
    } else if (clearQueue && hadInputs)
      answer.resolve({ runId: null, quiescent: true, survivors: [] });
    else answer.reject(new Fault('not_running', 'no run is open'));
  }

  async #onCompactionEnded({
    compaction,
    end,
  }: Extract<Control, { kind: 'compactionEnded' }>): Promise<void> {
    // One that a stop did not wait for has nobody left to tell.
    if (this.#compactions.open !== compaction) return;
    const after = await this.#compactions.onEnded(compaction, end);
    switch (after.kind) {
      case 'goOn':
        this.#runs.goOn(after.run);
        return;
      case 'end':
        await this.#runs.onWorkerEnded(after.run, after.end);
        return;
      case 'alone': {
        if (this.#stopping.reason !== null) await this.#stopping.finish(this.#aroundStop());
        const waiting = this.#afterCompaction;
        this.#afterCompaction = [];
        for (const event of waiting) await this.#take(event);
        this.#runs.beginNext();
        return;
      }
      default:
        assertNever(after, 'Pod.#onCompactionEnded');
    }
  }

  #onPauseAsked(answer: Deferred<Reply<'Pause'>>): void {
    const { open } = this.#runs;
    if (open === null) {
      answer.reject(new Fault('not_running', 'no run is open'));
      return;
    }
    open.isPauseAsked = true;
    answer.resolve({ runId: open.id });
  }

  #aroundStop(): StopSurroundings {
    return {
      parts: this.#parts,
      life: this.#life,
      runs: this.#runs,
      compactions: this.#compactions,
      after: (ms, event) => {
        this.#after(ms, event);
      },
    };
  }

  #askWork<T>(event: Work, answer: Deferred<T>): Promise<T> {
    if (this.#life.state.kind === 'stopped')
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
}
