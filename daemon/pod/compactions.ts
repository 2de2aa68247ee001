import type { Compacted, Params } from '../../protocol/methods.ts';
import type { CompactionEnd, CompactionJob } from '../compaction/compaction-job.ts';
import { assertNever, invariant } from '../core/assert.ts';
import { headLength } from '../core/compaction-layout.ts';
import { splitForRetained } from '../core/compaction-plan.ts';
import { Fault } from '../core/fault.ts';
import { measuredOf, occupancyOf } from '../core/occupancy.ts';
import { PrunedItems } from '../core/pruned-items.ts';
import { lookUpRequest, seenAs } from '../core/seen-requests.ts';
import { type Estimate, toEstimator } from '../core/tokens.ts';
import { type Deferred, ignore } from '../support/deferred.ts';
import type { RunEnd } from '../worker/run-turns.ts';
import type { ContextRules } from '../worker/worker-ports.ts';
import { failureBatch, switchBatch } from './compaction-batches.ts';
import { runCompactor } from './launch.ts';
import type { Life } from './life.ts';
import { type AskedCompaction, type CompactionTrigger, OpenCompaction } from './open-compaction.ts';
import type { OpenRun } from './open-run.ts';
import type { Control } from './pod-events.ts';
import type { PodParts } from './pod-parts.ts';
import { sayWhatFills } from './window-report.ts';

export type CompactionSurroundings = {
  readonly parts: PodParts;
  readonly life: Life;
  readonly push: (event: Control) => void;
  /** Why nothing is taken on any more. */
  readonly stopping: () => Fault;
};

/** What becomes of the run that yielded. */
export type AfterCompaction =
  | { readonly kind: 'alone' }
  | { readonly kind: 'goOn'; readonly run: OpenRun }
  | { readonly kind: 'end'; readonly run: OpenRun; readonly end: RunEnd };

/**
 * Compactions: at most one is under way, and one that was asked for waits for the safe point of a run. Called by the Pod's loop
 * alone, but for `rules`, which a Worker asks.
 */
export class Compactions {
  readonly #around: CompactionSurroundings;
  readonly #pruned = new PrunedItems();
  #open: OpenCompaction | null = null;
  /** Asked for while a run is open. */
  #waiting: AskedCompaction | null = null;
  /** Nothing was sent since the last one; if that is too much again, compacting does not help (COMP-2). */
  #justCompacted = false;
  /** A prompt that was refused as too long was compacted; then the next request was sent. */
  #tooLong: 'none' | 'compacted' | 'sent' = 'none';
  /** Requests since the last one, and how many in a row came a turn after the one before. */
  #turnsSince = Number.POSITIVE_INFINITY;
  #quick = 0;
  /** The run ends by its compaction: another one right behind it would hardly come to more. */
  #hasEndedRun = false;

  constructor(around: CompactionSurroundings) {
    this.#around = around;
  }

  get open(): OpenCompaction | null {
    return this.#open;
  }

  /** The one that works without a run. */
  get alone(): OpenCompaction | null {
    return this.#open?.run === null ? this.#open : null;
  }

  /** By what a run's Worker goes before each of its requests. */
  rules(): ContextRules {
    const { settings } = this.#around.parts.compaction;
    return {
      prune: settings.prune,
      pruned: this.#pruned,
      check: (occupancy) => this.#check(occupancy),
      mayYieldTooLong: () => settings.onRefusal && !this.#isOff() && this.#tooLong === 'none',
    };
  }

  #check(occupancy: Estimate): 'send' | 'yield' {
    if (this.#waiting !== null) return 'yield';
    // At the second look the request between was answered.
    this.#tooLong = this.#tooLong === 'compacted' ? 'sent' : 'none';
    const { requestThreshold } = this.#around.parts.compaction.settings;
    const isOver = requestThreshold !== null && occupancy.tokens > requestThreshold;
    const wasCompacted = this.#justCompacted;
    this.#justCompacted = false;
    // Where nothing was measured the server's own answer is the better judge.
    if (!isOver || this.#isOff() || occupancy.source === 'no_data') {
      this.#turnsSince += 1;
      return 'send';
    }
    this.#quick = this.#turnsSince <= 1 ? this.#quick + 1 : 0;
    if (!wasCompacted && this.#quick < QUICK_MAX) return 'yield';
    this.#quick = 0;
    const session = this.#around.parts.journal.session();
    const says = sayWhatFills(session, occupancy.tokens, requestThreshold);
    throw new Fault('compaction_thrash', says);
  }

  #isOff(): boolean {
    return this.#around.parts.journal.state().compaction.disabled;
  }

  onAsked(params: Params<'Compact'>, answer: Deferred<Compacted>): void {
    const { parts, life, stopping } = this.#around;
    const { kind: state } = life.state;
    const { instructions = null, retainedTokens = null, requestId } = params;
    const seen = seenAs('Compact', requestId, JSON.stringify([instructions, retainedTokens]));
    const refuse = (...[code, says]: ConstructorParameters<typeof Fault>): void => {
      answer.reject(new Fault(code, says));
    };
    if (state === 'stopping' || state === 'stopped') {
      answer.reject(stopping());
      return;
    }
    if (seen !== null && this.#isKnown(seen, answer)) return;
    if (!parts.journal.session().begun)
      refuse('unknown_session', 'this Pod has no session yet: nothing was run in it');
    else if (state === 'paused')
      refuse('conflict', 'this Pod is paused: resume or cancel its run first');
    else if (this.#open !== null || this.#waiting !== null)
      refuse('already_running', 'a compaction is under way, or waits for the run');
    else {
      const asked = { instructions, retainedTokens, seen, answers: [answer] };
      if (state === 'idle') {
        life.moveAndTell({ kind: 'compactAsked' });
        this.#begin(null, { kind: 'asked' }, asked);
      } else this.#waiting = asked;
    }
  }

  #isKnown(seen: NonNullable<AskedCompaction['seen']>, answer: Deferred<Compacted>): boolean {
    const mine = [this.#open?.asked, this.#waiting].find(
      (asked) => asked?.seen?.requestId === seen.requestId,
    );
    const before = lookUpRequest(this.#around.parts.journal.state().requests, seen);
    if (before.kind === 'conflict' || (mine?.seen && mine.seen.hash !== seen.hash))
      answer.reject(
        new Fault('conflict', `the id ${seen.requestId} was given to something else before`),
      );
    else if (mine) mine.answers.push(answer);
    else if (before.kind === 'again' && before.request.compacted !== undefined)
      answer.resolve(before.request.compacted);
    else return false;
    return true;
  }

  /** A run yielded; its yield is on disk. */
  beginInRun(run: OpenRun, end: Extract<RunEnd, { readonly kind: 'yielded' }>): void {
    const { requestThreshold } = this.#around.parts.compaction.settings;
    const { tokens } = occupancyOf(this.#around.parts.journal.session());
    const asked = this.#takeWaiting();
    const isOver = requestThreshold !== null && tokens > requestThreshold && !this.#isOff();
    if (end.why === 'tooLong') this.#begin(run, { kind: 'tooLong', says: end.says }, asked);
    else if (asked !== null && !isOver) this.#begin(run, { kind: 'asked' }, asked);
    else this.#begin(run, { kind: 'beforeRequest', threshold: requestThreshold ?? tokens }, asked);
  }

  /** Whether one begins when the run that is open has ended, which has failed by `failure`. */
  isDueAfterRun(failure: Fault | null): boolean {
    const hasEndedRun = this.#hasEndedRun;
    this.#hasEndedRun = false;
    if (this.#waiting !== null) return failure?.code !== 'compaction_thrash';
    if (hasEndedRun) return false;
    const { threshold } = this.#around.parts.compaction.settings;
    const session = this.#around.parts.journal.session();
    if (threshold === null || this.#isOff() || !session.begun || session.openRun !== null)
      return false;
    const { tokens, source } = occupancyOf(session);
    return (
      source !== 'no_data' &&
      tokens > threshold &&
      this.#cut({ kind: 'afterRun', threshold }, null) > 0
    );
  }

  /** The run has ended, and its report is sent. */
  afterRun(failure: Fault | null): void {
    const { parts, life, stopping } = this.#around;
    const asked = this.#takeWaiting();
    const { kind: state } = life.state;
    if (state === 'compacting') {
      const { threshold } = parts.compaction.settings;
      if (asked !== null) this.#begin(null, { kind: 'asked' }, asked);
      else this.#begin(null, { kind: 'afterRun', threshold: threshold ?? 0 }, null);
      return;
    }
    // A run that never began, or was ended by its compaction, leaves the Pod idle.
    if (asked !== null && state === 'idle' && failure?.code !== 'compaction_thrash') {
      life.moveAndTell({ kind: 'compactAsked' });
      this.#begin(null, { kind: 'asked' }, asked);
      return;
    }
    const why =
      state === 'stopping' || state === 'stopped'
        ? stopping()
        : failure?.code === 'compaction_thrash'
          ? failure
          : new Fault('conflict', `the run was paused: this Pod is ${state}`);
    for (const answer of asked?.answers ?? []) answer.reject(why);
  }

  /** It did not end before the stop; whoever waits for it learns that. */
  abandon(): void {
    const open = this.#open;
    this.failAll(this.#around.stopping());
    this.#open = null;
    open?.over();
  }

  /** The loop has ended: nobody is left who would answer. */
  failAll(error: unknown): void {
    const open = this.#open;
    open?.cancel({ kind: 'shutdown' });
    open?.quiet.tellSurvivors();
    for (const asked of [this.#takeWaiting(), open?.asked])
      for (const answer of asked?.answers ?? []) answer.reject(error);
  }

  #takeWaiting(): AskedCompaction | null {
    const asked = this.#waiting;
    this.#waiting = null;
    return asked;
  }

  #cut(trigger: CompactionTrigger, asked: AskedCompaction | null): number {
    const { parts } = this.#around;
    const session = parts.journal.session();
    const { items } = session;
    const at = toEstimator(measuredOf(session));
    const all = at(items.length).tokens;
    // Whoever refused it as too long has counted better.
    const window = trigger.kind === 'tooLong' ? (parts.model.contextWindow ?? 0) : 0;
    const scale = Math.max(1, window / Math.max(1, all));
    const from = (index: number): number => (all - at(index).tokens) * scale;
    const retained = asked?.retainedTokens ?? parts.compaction.settings.retainedTokens;
    const cut = splitForRetained(items, from, retained);
    const most = 'threshold' in trigger ? trigger.threshold : window;
    const isTooMuch = most > 0 && from(cut) > most * TAIL_SHARE;
    const best = isTooMuch ? splitForRetained(items, from, retained, 'messages') : cut;
    // A summary of nothing but the summary before would lose some of it, and win nothing.
    return best <= headLength(items) ? 0 : best;
  }

  #begin(run: OpenRun | null, trigger: CompactionTrigger, asked: AskedCompaction | null): void {
    invariant(this.#open === null, 'a second compaction begins');
    const { parts, push } = this.#around;
    const { settings } = parts.compaction;
    const session = parts.journal.session();
    const compaction = new OpenCompaction(run, trigger, asked);
    this.#open = compaction;
    const { sessionId } = session;
    parts.log.info('a compaction begins', { sessionId, why: trigger.kind, runId: run?.id });
    const cut = this.#cut(trigger, asked);
    const job: CompactionJob = {
      session,
      cut,
      isRunToGoOn: run !== null || session.lastRun?.interrupted === true,
      threshold: 'threshold' in trigger ? trigger.threshold : null,
      instructions: asked?.instructions ?? null,
      settings: trigger.kind === 'tooLong' ? { ...settings, strategy: 'worker' } : settings,
      children: parts.scope.children(),
    };
    const work = async (): Promise<void> => {
      try {
        // The answer of the run before is on its way to clients, and goes first.
        await new Promise(setImmediate);
        ignore(
          parts.journal.commit({ events: [{ event: 'compaction_start', data: { sessionId } }] }),
          'an event alone touches no disk',
        );
        const end = cut === 0 ? NOTHING : await runCompactor(parts, compaction, job);
        push({ kind: 'compactionEnded', compaction, end });
      } catch (error) {
        push({ kind: 'bugMet', error });
      }
    };
    ignore(work(), 'its end is an event');
  }

  async onEnded(compaction: OpenCompaction, end: CompactionEnd): Promise<AfterCompaction> {
    invariant(this.#open === compaction, 'a compaction ends that is not open');
    const { life } = this.#around;
    const { run } = compaction;
    const failure =
      end.kind === 'done' ? await this.#switch(compaction, end) : this.#toFault(compaction, end);
    if (failure !== null) await this.#tellFailure(compaction, failure);
    this.#open = null;
    compaction.over();
    if (run === null) {
      life.moveAndTell({ kind: 'compactionEnded' });
      return { kind: 'alone' };
    }
    const { tally } = run;
    this.#hasEndedRun = run.signal.aborted;
    if (run.signal.aborted) return { kind: 'end', run, end: { kind: 'cancelled', tally } };
    // One that was only asked for is no reason to end a run that had room.
    if (failure === null || compaction.trigger.kind === 'asked') return { kind: 'goOn', run };
    this.#hasEndedRun = true;
    return { kind: 'end', run, end: { kind: 'failed', fault: failure, tally } };
  }

  /** Answers why it failed after all, or null. */
  async #switch(
    compaction: OpenCompaction,
    { history }: Extract<CompactionEnd, { readonly kind: 'done' }>,
  ): Promise<Fault | null> {
    const { parts } = this.#around;
    const session = parts.journal.session();
    const next = parts.newSessionId();
    const answer: Compacted = {
      from: session.sessionId,
      sessionId: next,
      tokensBefore: occupancyOf(session).tokens,
      tokensAfter: history.tokensAfter,
    };
    compaction.run?.keepText(session);
    try {
      await parts.journal.commit(switchBatch(parts, compaction, history, answer, next));
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      return failed('storage', error.message, error);
    }
    parts.log.info('the session was compacted', answer);
    compaction.run?.movedTo(parts.journal.session());
    this.#justCompacted = true;
    this.#turnsSince = 0;
    if (compaction.trigger.kind === 'tooLong') this.#tooLong = 'compacted';
    for (const waiter of compaction.asked?.answers ?? []) waiter.resolve(answer);
    return null;
  }

  #toFault(
    { trigger }: OpenCompaction,
    end: Exclude<CompactionEnd, { readonly kind: 'done' }>,
  ): Fault {
    switch (end.kind) {
      case 'cancelled':
        return failed('cancelled', 'the compaction was cancelled');
      case 'refused':
        return end.fault.code === 'storage_error'
          ? failed('storage', end.fault.message, end.fault)
          : end.fault;
      case 'failed': {
        const session = this.#around.parts.journal.session();
        if (end.cause !== 'nothing_to_compact') return failed(end.cause, end.says);
        const { tokens } = occupancyOf(session);
        const threshold = 'threshold' in trigger ? trigger.threshold : null;
        const fills = sayWhatFills(session, tokens, threshold);
        const says = trigger.kind === 'tooLong' ? `${trigger.says}; ${fills}` : fills;
        return trigger.kind === 'beforeRequest' || trigger.kind === 'tooLong'
          ? new Fault('compaction_thrash', says)
          : failed(end.cause, says);
      }
      default:
        return assertNever(end, 'Compactions.#toFault');
    }
  }

  async #tellFailure(compaction: OpenCompaction, fault: Fault): Promise<void> {
    const { parts } = this.#around;
    const cause = causeOf(fault);
    const counts = cause !== 'cancelled' && cause !== 'nothing_to_compact';
    const inRun = compaction.run !== null && compaction.trigger.kind !== 'asked';
    const batch = failureBatch(parts, { cause, says: fault.message, counts, inRun });
    if (cause === 'cancelled') parts.log.info('a compaction was cancelled');
    else parts.log.warn('a compaction failed', { err: fault });
    try {
      await parts.journal.commit(batch);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      await parts.journal.commit({ events: batch.events ?? [] });
    }
    for (const waiter of compaction.asked?.answers ?? []) waiter.reject(fault);
  }
}

/** What no model has answered is kept whole while it leaves this much of the room. */
const TAIL_SHARE = 0.75;
/** A compaction a turn, so many times: what comes in with one turn is too much, and compacting does not help. */
const QUICK_MAX = 3;

const NOTHING: CompactionEnd = { kind: 'failed', cause: 'nothing_to_compact', says: '' };

type Cause = Extract<CompactionEnd, { readonly kind: 'failed' }>['cause'];

function failed(cause: Cause, says: string, error?: Fault): Fault {
  return new Fault('compaction_failed', says, { cause: error, data: { cause } });
}

function causeOf({ code, data }: Fault): Cause {
  if (code === 'compaction_thrash') return 'nothing_to_compact';
  return code === 'compaction_failed' ? (data['cause'] as Cause) : 'provider';
}
