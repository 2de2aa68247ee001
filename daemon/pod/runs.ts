import { CheckedItems } from '../core/checked-items.ts';
import { Fault } from '../core/fault.ts';
import type { RunId } from '../core/ids.ts';
import { invariant } from '../core/assert.ts';
import type { LifeEvent } from '../core/pod-state.ts';
import { NO_USAGE } from '../core/usage.ts';
import { ignore } from '../support/deferred.ts';
import { shapeFor } from '../worker/request-shape.ts';
import type { RunEnd } from '../worker/run-turns.ts';
import { reportOfNone } from './find-run.ts';
import { prepareRun, runWorker } from './launch.ts';
import type { Life } from './life.ts';
import { LingeringRuns } from './lingering-runs.ts';
import type { Asker } from './askers.ts';
import type { RunRequest } from './open-run.ts';
import { NO_REQUEST, OpenRun } from './open-run.ts';
import type { Control, Prepared } from './pod-events.ts';
import type { PodParts } from './pod-parts.ts';
import { QueueAskers } from './queue-askers.ts';
import { clearInputsBatch, toRequest } from './queue-batches.ts';
import { TryLater } from './try-later.ts';
import {
  cancelPausedBatch,
  endBatch,
  type FinalEnd,
  startBatch,
  toReport,
  yieldBatch,
} from './run-batches.ts';
import type { Compactions } from './compactions.ts';
import { lostScope, withRun } from './run-faults.ts';

/** What the runs need of the Pod around them. */
export type RunSurroundings = {
  readonly parts: PodParts;
  readonly life: Life;
  readonly push: (event: Control) => void;
  readonly after: (ms: number, event: Control) => void;
  /** A stop that waited for a run goes on. */
  readonly afterRun: () => Promise<void>;
  readonly compactions: Compactions;
  /** Whether the Pod stops because its scope is not its own any more. */
  readonly isFenced: () => boolean;
};

const NONE = { turns: 0, usage: NO_USAGE };

/**
 * The run that is open and those that wait: each begins here and each ends here. Called by the Pod's loop alone; the work
 * itself goes on beside it and comes back as an event.
 */
export class Runs {
  readonly #around: RunSurroundings;
  readonly #lingering = new LingeringRuns();
  readonly #checks: { readonly built: CheckedItems; readonly sent: CheckedItems };
  /** Who waits for inputs that wait. */
  readonly queueAskers = new QueueAskers();
  #open: OpenRun | null = null;
  #nextBlock = 0;
  /** The newest note that a run was begun for: whatever becomes of that run, it is no reason for another. */
  #wokenBy: string | null = null;
  readonly #later: TryLater;
  /** Cancelled, but the disk did not take them out of the queue yet. */
  readonly #doomed = new Set<RunId>();

  constructor(around: RunSurroundings) {
    this.#around = around;
    this.#later = new TryLater(around.after);
    const shape = shapeFor(around.parts.model);
    this.#checks = { built: new CheckedItems(shape), sent: new CheckedItems(shape) };
  }

  get open(): OpenRun | null {
    return this.#open;
  }

  /** Something that may still touch a file, though nobody waits for it any more. */
  hasSurvivors(): boolean {
    // After a bug the open run was never closed, and what it began may still be on its way to the disk.
    return this.#lingering.any() || (this.#open?.activity.list().length ?? 0) > 0;
  }

  /** The Pod's loop has ended by a bug: whoever waits learns that it was one. */
  failAll(error: unknown): void {
    this.#open?.cancel({ kind: 'shutdown' });
    this.#open?.failed(error);
    this.#open?.tellSurvivors();
    this.failQueue(error);
  }

  /** The loop has ended: no `Cancel` waits any longer. */
  tellSurvivors(): void {
    this.#open?.tellSurvivors();
    this.#lingering.tellSurvivors();
  }

  /** For those who wait for inputs that wait; the inputs stay. */
  failQueue(error: unknown): void {
    for (const { answer } of this.queueAskers.takeAll()) answer.reject(error);
  }

  /**
   * What waits begins, if nothing is under way: an input, else a run for notes that nobody was told of yet. Answers
   * whether something did.
   */
  beginNext(): boolean {
    const { parts, life } = this.#around;
    if (life.state.kind !== 'idle' || this.#open !== null) return false;
    const { inputs, notes } = parts.journal.state();
    const [input] = inputs;
    if (input !== undefined) {
      const { runId } = input;
      const run = this.begin(runId, toRequest(input), this.queueAskers.take(runId));
      if (this.#doomed.has(runId)) run.cancel({ kind: 'client' });
      return true;
    }
    const newest = notes.at(-1)?.noteId ?? null;
    if (newest === null || newest === this.#wokenBy) return false;
    this.#wokenBy = newest;
    this.begin(parts.newRunId(), { ...NO_REQUEST, trigger: 'notify' }, []);
    return true;
  }

  begin(id: RunId, request: RunRequest, askers: readonly Asker[]): OpenRun {
    const { parts, life, push } = this.#around;
    const run = this.#admit(id, request, askers);
    life.moveAndTell({ kind: 'runAccepted', run: run.id });
    const prepare = async (): Promise<void> => {
      const prepared = await prepareRun(parts, run);
      push({ kind: 'prepareEnded', run, prepared });
    };
    ignore(prepare(), 'its failure is in the event');
    return run;
  }

  #admit(id: RunId, request: RunRequest, askers: readonly Asker[]): OpenRun {
    invariant(this.#open === null, `run ${id} begins while another is open`);
    const run = new OpenRun(id, request, this.#around.parts.clock.now());
    run.add(...askers);
    this.#open = run;
    return run;
  }

  /** A paused Pod has its prompt: nothing is to be prepared. */
  async leavePause(
    request: RunRequest,
    asker: Asker,
    toEvent: (run: RunId) => LifeEvent,
  ): Promise<void> {
    const { parts, life } = this.#around;
    const run = this.#admit(parts.newRunId(), request, [asker]);
    try {
      await parts.journal.commit(startBatch(parts, run, null));
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.#open = null;
      run.failed(withRun(error, run.id));
      return;
    }
    life.moveAndTell(toEvent(run.id));
    this.#start(run);
  }

  async onPrepareEnded(run: OpenRun, prepared: Prepared): Promise<void> {
    const { parts, life } = this.#around;
    if (run.signal.aborted) {
      await this.#abandonPrepared(run);
      return;
    }
    try {
      if (prepared.kind === 'failed') throw prepared.error;
      await parts.journal.commit(startBatch(parts, run, prepared.systemPrompt));
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      parts.log.error('a run could not begin', { runId: run.id, err: error });
      if (run.cancelledBy !== null) {
        await this.#abandonPrepared(run);
        return;
      }
      if (run.request.trigger === 'notify') this.#later.holdNotes();
      if (run.request.wasQueued && error.code === 'storage_error') {
        await this.#waitForDisk(run);
        return;
      }
      await this.#unqueue(run, error);
      await this.#over(run, { kind: 'prepareAbandoned', run: run.id }, null, () => {
        run.failed(withRun(error, run.id));
      });
      return;
    }
    life.moveAndTell({ kind: 'prepared', run: run.id });
    this.#start(run);
  }

  /** Nothing was stored, so there is no record and no event: as if it had never been asked for. */
  async #abandonPrepared(run: OpenRun): Promise<void> {
    const { parts, isFenced } = this.#around;
    const event = { kind: 'prepareAbandoned', run: run.id } as const;
    // Only who asked for the end of it may take an input out of the queue; the next start begins it otherwise.
    if (run.request.wasQueued && run.cancelledBy?.kind === 'shutdown') {
      const says = 'this Pod stops; the input is kept, and begins at the next start';
      await this.#over(run, event, null, () => {
        run.failed(isFenced() ? lostScope() : new Fault('shutting_down', says));
      });
      return;
    }
    await this.#unqueue(run, null);
    const report = toReport(parts.journal.session(), run, { kind: 'cancelled', tally: NONE });
    await this.#over(run, event, null, () => {
      run.ended(report);
    });
  }

  /** The disk refused it: the input waits on, and who waits for it is not told a failure that is none. */
  async #waitForDisk(run: OpenRun): Promise<void> {
    this.#later.holdQueue();
    await this.#over(run, { kind: 'prepareAbandoned', run: run.id }, null, () => {
      for (const asker of run.handBack()) this.queueAskers.add(run.id, asker);
    });
  }

  onQueueDue(): void {
    this.#later.queueIsDue();
    this.beginNext();
  }

  onNotesDue(): void {
    this.#later.notesAreDue();
    this.#wokenBy = null;
    this.beginNext();
  }

  /** An input that can't begin, for `why`, or that was cancelled, does not keep those behind it waiting. */
  async #unqueue(run: OpenRun, why: Fault | null): Promise<void> {
    const { parts } = this.#around;
    const mine = parts.journal.state().inputs.filter(({ runId }) => runId === run.id);
    if (mine.length === 0) return;
    try {
      await parts.journal.commit(clearInputsBatch(parts, mine, why));
      this.#doomed.delete(run.id);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      if (why === null) this.#doomed.add(run.id);
      this.#later.holdQueue();
    }
  }

  #start(run: OpenRun): void {
    const { parts } = this.#around;
    this.#later.notesBegan();
    run.movedTo(parts.journal.session());
    parts.log.info('a run began', { runId: run.id, trigger: run.request.trigger });
    run.accepted();
    this.#work(run);
  }

  #work(run: OpenRun): void {
    const { parts, life, push, compactions } = this.#around;
    const work = async (): Promise<void> => {
      try {
        const end = await runWorker(parts, run, {
          checks: this.#checks,
          context: compactions.rules(),
          nextBlock: () => (this.#nextBlock += 1),
          moved: (progress) => life.tell({ ...progress, run: run.id }),
        });
        push({ kind: 'workerEnded', run, end });
      } catch (error) {
        push({ kind: 'bugMet', error });
      }
    };
    ignore(work(), 'its end is an event');
  }

  /** The run's context is small again, or could not be made smaller and need not be. */
  goOn(run: OpenRun): void {
    if (this.#open !== run) return;
    this.#around.life.moveAndTell({ kind: 'compactedInRun', run: run.id });
    this.#work(run);
  }

  /** Its yield is on disk before anything else happens: whatever becomes of the compaction, the session is whole. */
  async #yield(run: OpenRun, end: Extract<RunEnd, { readonly kind: 'yielded' }>): Promise<void> {
    const { parts, life, compactions } = this.#around;
    run.tally = end.tally;
    try {
      await parts.journal.commit(yieldBatch(parts, run));
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      await this.onWorkerEnded(run, { kind: 'failed', fault: error, tally: end.tally });
      return;
    }
    life.moveAndTell({ kind: 'yielded', run: run.id });
    compactions.beginInRun(run, end);
  }

  async onWorkerEnded(run: OpenRun, end: RunEnd): Promise<void> {
    const { parts, isFenced } = this.#around;
    // A stop that could not wait for it has closed its books; the next start finds it open and says so.
    if (this.#open !== run) return;
    if (end.kind === 'yielded') {
      await this.#yield(run, end);
      return;
    }
    const failure = await this.#storeEnd(run, end);
    const { turns } = end.tally;
    if (failure === null) parts.log.info('a run ended', { runId: run.id, how: end.kind, turns });
    else parts.log.warn('a run failed', { runId: run.id, turns, err: failure });
    const next = this.#around.compactions.isDueAfterRun(failure) ? 'compacting' : 'idle';
    const event: LifeEvent =
      end.kind === 'paused' && failure === null
        ? { kind: 'pauseReached', run: run.id }
        : { kind: 'runEnded', run: run.id, next };
    await this.#over(run, event, failure, () => {
      if (failure !== null) run.failed(failure);
      else if (isFenced()) run.failed(withRun(lostScope(), run.id));
      else if (end.kind !== 'failed') run.ended(toReport(parts.journal.session(), run, end));
    });
  }

  /** Answers why the run counts as failed, or null. */
  async #storeEnd(run: OpenRun, end: FinalEnd): Promise<Fault | null> {
    const { parts } = this.#around;
    const fault = end.kind === 'failed' ? withRun(end.fault, run.id) : null;
    try {
      await parts.journal.commit(endBatch(parts, run, end));
      return fault;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      // Its terminal record is written by the next run, or at the next start. Clients are told now.
      const data = { code: 'storage_error' as const, message: error.message, runId: run.id };
      const { code, message } = data;
      await parts.journal.commit({
        events: [
          { event: 'error', data },
          { event: 'run_end', data: { runId: run.id, error: { code, message } } },
        ],
      });
      return fault ?? withRun(error, run.id);
    }
  }

  /** Every input that waits leaves the queue; who waits for one learns that it was not run. Throws when the disk refuses. */
  async clearQueue(): Promise<void> {
    const { parts } = this.#around;
    const { inputs } = parts.journal.state();
    if (inputs.length === 0) return;
    await parts.journal.commit(clearInputsBatch(parts, inputs, null));
    const { sessionId } = parts.journal.session();
    for (const { runId } of inputs) this.#doomed.delete(runId);
    for (const { runId } of inputs)
      for (const { answer } of this.queueAskers.take(runId))
        answer.resolve(reportOfNone(runId, sessionId));
  }

  /** Ends a pause for good, with a record of its own; answers the run that it is the end of. */
  async cancelPaused(continues: RunId): Promise<RunId> {
    const { parts, life } = this.#around;
    const request = { ...NO_REQUEST, trigger: 'resume' as const, continues };
    // Nothing of it is ever under way, so it is never the open one.
    const run = new OpenRun(parts.newRunId(), request, parts.clock.now());
    await parts.journal.commit(cancelPausedBatch(parts, run));
    life.moveAndTell({ kind: 'pausedCancelled' });
    this.beginNext();
    return run.id;
  }

  /** Ends what did not end in time, as far as anybody waits for it. */
  async abandon(): Promise<void> {
    const run = this.#open;
    if (run === null) return;
    this.#around.parts.log.error('the run did not end before the stop', {
      survivors: run.activity.list(),
    });
    run.tellSurvivors();
    await this.#over(run, { kind: 'runEnded', run: run.id, next: 'idle' }, null, () => {
      run.failed(new Fault('shutting_down', 'the Pod stopped before the run had ended'));
    });
  }

  /** The run is closed; whoever waited for it is answered, then the next one, or a stop that waited, has its turn. */
  async #over(
    run: OpenRun,
    event: LifeEvent,
    failure: Fault | null,
    answer: () => void,
  ): Promise<void> {
    const { life, afterRun, compactions } = this.#around;
    invariant(this.#open === run, `run ${run.id} is over twice`);
    this.#open = null;
    this.#lingering.add(run);
    life.moveAndTell(event);
    answer();
    compactions.afterRun(failure);
    await afterRun();
    if (!this.#later.wasHeld()) this.beginNext();
  }
}
