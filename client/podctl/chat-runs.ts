import { randomUUID } from 'node:crypto';
import type { Gap, StreamedEvent } from '../catch-up.ts';
import type { EventStream } from '../event-stream.ts';
import { mayPass } from '../keep-trying.ts';
import { CLIENT_LIMITS } from '../limits.ts';
import { PodError } from '../pod-error.ts';
import type { EventData } from '../../protocol/events.ts';
import type { RunReport } from '../../protocol/report.ts';
import type { ReconnectingClient } from '../reconnecting-client.ts';
import { RunView } from './render/run-view.ts';
import { oneLine, styleFor } from './render/style.ts';
import { tellEnd } from './run.ts';
import { EXIT, type Shell } from './shell.ts';

const INPUT_UNITS = 200;

/**
 * The runs of a chat, and what is drawn of the Pod. Each has an id, under which it is asked for again when the
 * connection or the Pod went: that never makes a second run of it.
 */
export class ChatRuns {
  readonly #shell: Shell;
  readonly #client: ReconnectingClient;
  readonly #note: (text: string) => void;
  readonly #view: RunView;
  /** Input ids of runs that were asked for and are not answered. */
  readonly #asked = new Set<string>();
  /** Their runs, for one that goes on as another after the Pod died. */
  readonly #ours = new Set<string>();
  /** The one of them that is open. */
  #open: string | null = null;
  #cancel: 'none' | 'wanted' | 'asked' = 'none';
  /** Runs whose end was drawn, of the newest few. */
  #drawn: string[] = [];
  #drawnNow: (() => void)[] = [];
  #gaps = 0;
  /** Behind a gap: where what the Pod still had ends. */
  #replayedTo = Infinity;
  /** The one that the Pod went over to last. */
  #newSession: string | null = null;
  lastCode: number = EXIT.finished;
  readonly failed: Promise<never>;
  #fail: (error: unknown) => void = () => undefined;

  constructor(shell: Shell, client: ReconnectingClient, note: (text: string) => void) {
    const { out, err, env } = shell;
    this.#shell = shell;
    this.#client = client;
    this.#note = note;
    this.#view = new RunView({
      out,
      err,
      outStyle: styleFor(out, env),
      errStyle: styleFor(err, env),
    });
    this.failed = new Promise((_resolve, reject) => {
      this.#fail = reject;
    });
    this.failed.catch(() => undefined);
  }

  get isIdle(): boolean {
    return this.#asked.size === 0;
  }

  endLine(): void {
    this.#view.endLine();
  }

  /** Gives the Pod an input, and resolves when its run is over and drawn. Never rejects. */
  async say(input: string): Promise<void> {
    const inputId = randomUUID();
    const gaps = this.#gaps;
    this.#asked.add(inputId);
    try {
      const report = await this.#ask(input, inputId);
      if (!(await this.#wasDrawn(report.runId, gaps)) && report.text !== '')
        this.#shell.out.write(`${styleFor(this.#shell.out, this.#shell.env).clean(report.text)}\n`);
      this.endLine();
      const { runId, outcome } = report;
      this.lastCode = tellEnd(this.#shell, { runId, outcome, report });
    } catch (error) {
      this.endLine();
      if (!(error instanceof PodError) || mayPass(error)) this.#fail(error);
      else this.#tellFailure(error);
    } finally {
      this.#asked.delete(inputId);
      if (this.isIdle) {
        this.#cancel = 'none';
        this.#ours.clear();
      }
    }
  }

  /** False if there is nothing of this chat to cancel, or it is being cancelled. */
  cancel(): boolean {
    if (this.isIdle || this.#cancel !== 'none') return false;
    this.#cancel = 'wanted';
    // Before it is open a cancel would meet another run.
    if (this.#open !== null) this.#askCancel();
    return true;
  }

  /** Draws what comes. Ends as the stream does, which is never well. */
  async watch(stream: EventStream): Promise<never> {
    for await (const event of stream) {
      this.#take(event);
      await this.#shell.out.drained();
    }
    throw new PodError('disconnected', 'the events ended');
  }

  #take(event: StreamedEvent): void {
    if (event.event === 'gap') this.#onGap(event);
    else if (event.event === 'run_start') this.#onRunStart(event.data);
    else if (event.event === 'run_end') this.#onRunEnd(event.data.runId);
    else if (event.event !== 'history') this.#view.show(event);
    else if (this.#open === null && !this.#isCopy(event.data)) this.#showInputs(event.data.items);
    // What a new session begins with was told in the old one.
    if (event.event === 'compaction_done' || event.event === 'session_changed')
      this.#newSession = event.data.sessionId;
    if (event.seq < this.#replayedTo) return;
    this.#replayedTo = Infinity;
    // What has not come by now was in the gap.
    this.#gaps += 1;
    this.#wake();
  }

  #onRunStart({ runId, inputId = '', continues = '' }: EventData<'run_start'>): void {
    if (!this.#asked.has(inputId) && !this.#ours.has(continues)) return;
    this.#ours.add(runId);
    this.#open = runId;
    if (this.#cancel === 'wanted') this.#askCancel();
  }

  #onRunEnd(runId: string): void {
    if (this.#open === runId) {
      this.#open = null;
      this.#cancel = 'none';
    }
    this.#drawn = [...this.#drawn.slice(-20), runId];
    this.#wake();
  }

  #isCopy({ sessionId, from }: EventData<'history'>): boolean {
    return from === 0 && sessionId === this.#newSession;
  }

  /** What others tell the Pod. */
  #showInputs(items: EventData<'history'>['items']): void {
    for (const item of items) {
      if (item.type !== 'message' || item.role === 'assistant') continue;
      const text = item.content
        .map((part) => ('text' in part ? part.text : part.refusal))
        .join(' ');
      this.#note(`· ${oneLine(text, INPUT_UNITS)}`);
    }
  }

  #onGap({ data: { reset, upTo } }: Gap): void {
    if (reset) this.#view.forget();
    this.#open = null;
    this.#replayedTo = upTo;
    this.#note(
      reset
        ? 'the Pod was started again; what it said last is in podctl history'
        : 'something is missing here; podctl history has all of it',
    );
  }

  async #ask(input: string, inputId: string): Promise<RunReport> {
    for (;;) {
      try {
        return await this.#client.run({ input, inputId, queue: true });
      } catch (error) {
        if (!mayPass(error)) throw error;
        await this.#client.untilConnected();
      }
    }
  }

  /**
   * The answer comes on another connection than the events: they may still be on their way, or be lost in a gap. After
   * a gap that came before the answer nothing tells which, so that is waited for a moment.
   */
  async #wasDrawn(runId: string, gapsBefore: number): Promise<boolean> {
    const gaps = this.#gaps;
    let isOver = false;
    const giveUp = (): void => {
      isOver = true;
      this.#wake();
    };
    const timer = gaps === gapsBefore ? undefined : setTimeout(giveUp, CLIENT_LIMITS.endDrawnMs);
    while (!this.#drawn.includes(runId) && this.#gaps === gaps && !hasPassed())
      await new Promise<void>((resolve) => this.#drawnNow.push(resolve));
    clearTimeout(timer);
    return this.#drawn.includes(runId);

    function hasPassed(): boolean {
      return isOver;
    }
  }

  #wake(): void {
    for (const wake of this.#drawnNow.splice(0)) wake();
  }

  #askCancel(): void {
    this.#cancel = 'asked';
    this.#client.cancel().catch((error: unknown) => {
      const code = error instanceof PodError ? error.code : '';
      if (code === 'not_running') return;
      this.#note(`the cancel failed: ${error instanceof Error ? error.message : ''}`);
    });
  }

  #tellFailure({ code, message }: PodError): void {
    const { err, env } = this.#shell;
    const { red } = styleFor(err, env);
    err.write(`${red(`the run failed: ${oneLine(message, 500)} (${code})`)}\n`);
    this.lastCode = EXIT.failed;
  }
}
