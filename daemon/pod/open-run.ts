import { setMaxListeners } from 'node:events';
import type { Reply } from '../../protocol/methods.ts';
import type { RunReport } from '../../protocol/report.ts';
import type { Trigger } from '../../protocol/state.ts';
import type { Activity } from '../core/activity.ts';
import type { CancelCause } from '../core/cancel.ts';
import { Cancelled } from '../core/cancel.ts';
import type { SeenRequest } from '../core/entry.ts';
import type { RunId } from '../core/ids.ts';
import type { SessionState } from '../core/session-state.ts';
import { NO_USAGE } from '../core/usage.ts';
import type { RunView } from '../ports/pod-control.ts';
import { type Asker, Askers } from './askers.ts';
import type { Deferred } from '../support/deferred.ts';
import type { Tally } from '../worker/run-turns.ts';
import { lastAssistantText } from './last-text.ts';
import { Quiet } from './quiet.ts';

/** What was asked for, before it is a run. */
export type RunRequest = {
  readonly trigger: Trigger;
  /** Null when there is none: a resumed run has no input of its own. */
  readonly input: string | null;
  readonly continues: RunId | null;
  /** The input that the run which it continues was begun with, if its client told it again. */
  readonly recalls: string | null;
  /** The id that its client gave it, with the hash of what it asked for. */
  readonly seen: Pick<SeenRequest, 'method' | 'requestId' | 'hash'> | null;
  /** It waited in the queue, which it leaves when it is stored. */
  readonly wasQueued: boolean;
};

/** What a request is without: `trigger` is its own. */
export const NO_REQUEST: Omit<RunRequest, 'trigger'> = {
  input: null,
  continues: null,
  recalls: null,
  seen: null,
  wasQueued: false,
};

/** The run that is open, as memory knows it: its signal, what it has under way, and who waits for what of it. */
export class OpenRun {
  readonly id: RunId;
  readonly request: RunRequest;
  readonly startedAt: number;
  readonly quiet: Quiet;
  readonly #controller = new AbortController();
  readonly #askers = new Askers();
  #accepted = false;
  turn = 0;
  /** What it came to before its last yield. */
  tally: Tally = { turns: 0, usage: NO_USAGE };
  /** Items of the live session that are not of this run, or of its time in the sessions before. */
  #itemsBefore = 0;
  #textBefore = '';
  isPauseAsked = false;

  constructor(id: RunId, request: RunRequest, startedAt: number) {
    this.id = id;
    this.request = request;
    this.startedAt = startedAt;
    // Each call of a turn listens to it, many at once; Node takes the eleventh for a leak.
    setMaxListeners(0, this.#controller.signal);
    this.quiet = new Quiet(id);
  }

  get activity(): Activity {
    return this.quiet.activity;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The first cause stands. */
  cancel(why: CancelCause): void {
    this.#controller.abort(new Cancelled(why));
  }

  /** Null as long as nobody did. */
  get cancelledBy(): CancelCause | null {
    const reason: unknown = this.signal.reason;
    return reason instanceof Cancelled ? reason.why : null;
  }

  view(): RunView {
    return { id: this.id, startedAt: this.startedAt, turn: this.turn };
  }

  /** One more who waits; the same run answers all of them. */
  add(...askers: readonly Asker[]): void {
    for (const asker of askers)
      if (this.#accepted && asker.wait === 'accepted') asker.answer.resolve({ runId: this.id });
      else this.#askers.add(asker);
  }

  /** Its input is durable. */
  accepted(): void {
    this.#accepted = true;
    this.add(...this.#askers.take());
  }

  ended(report: RunReport): void {
    for (const { answer } of this.#askers.take()) answer.resolve(report);
    this.#over();
  }

  /** Whoever was only told `accepted` has its answer already. */
  failed(error: unknown): void {
    for (const { answer } of this.#askers.take()) answer.reject(error);
    this.#over();
  }

  /** It did not begin, and will be asked for again: who waits for it waits on. */
  handBack(): readonly Asker[] {
    const askers = this.#askers.take();
    this.#over();
    return askers;
  }

  /** It goes on in `session`, of whose items none was told as its own yet. */
  movedTo({ items }: SessionState): void {
    this.#itemsBefore = items.length;
  }

  /** Its session is about to be left behind. */
  keepText(session: SessionState): void {
    this.#textBefore = this.textIn(session);
  }

  /** What the model said last in it. */
  textIn({ items }: SessionState): string {
    return lastAssistantText(items.slice(this.#itemsBefore)) ?? this.#textBefore;
  }

  /** Answered when nothing of the run is left. */
  waitForQuiet(answer: Deferred<Reply<'Cancel'>>): void {
    this.quiet.wait(answer);
  }

  tellSurvivors(): void {
    this.quiet.tellSurvivors();
  }

  /** For a `Cancel` that waits no longer. */
  survivors(): Reply<'Cancel'> {
    return this.quiet.survivors();
  }

  #over(): void {
    this.quiet.over();
  }
}
