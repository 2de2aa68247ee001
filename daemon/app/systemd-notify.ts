import { LIMITS } from '../core/limits.ts';
import type { Log } from '../ports/log.ts';

/** `systemd-notify` with these arguments, to its end. `missing` is for good. */
export type RunNotify = (
  args: readonly string[],
  signal: AbortSignal,
) => Promise<'sent' | 'missing' | 'failed'>;

export type NotifyParts = {
  readonly run: RunNotify;
  readonly pid: number;
  /** How often systemd wants a sign of life; null if it does not watch. */
  readonly watchdogMs: number | null;
  /** A clock that only goes on, in milliseconds. */
  readonly monotonicMs: () => number;
  /** Calls back once, after `ms`; what it answers cancels that. It keeps no process alive. */
  readonly later: (ms: number, then: () => void) => () => void;
  readonly log: Log;
};

/**
 * What systemd is told. One program at a time, since each is a process: what comes meanwhile goes together with the
 * next, and of two statuses the newer. Nothing here ever fails or delays the Pod.
 */
export class SystemdNotify implements AsyncDisposable {
  readonly #parts: NotifyParts;
  readonly #urgent = new Set<'READY=1' | 'STOPPING=1' | 'WATCHDOG=1'>();
  #status: string | null = null;
  #statusTold: string | null = null;
  #statusAtMs: number;
  #cancelStatus: (() => void) | null = null;
  #cancelWatchdog: (() => void) | null = null;
  #running: { readonly end: Promise<void>; readonly stop: AbortController } | null = null;
  #isStopping = false;
  #over = false;
  #hasFailed = false;

  constructor(parts: NotifyParts) {
    this.#parts = parts;
    // A start that takes less than that says nothing before it is ready.
    this.#statusAtMs = parts.monotonicMs();
  }

  /** The Pod serves. From now on the watchdog hears of it, by a timer of the loop that answers clients. */
  ready(status: string): void {
    this.#urgent.add('READY=1');
    this.#status = status;
    this.#goOn();
    this.#watch();
  }

  /** A stop is told once, however often it is heard of. */
  stopping(status: string): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#urgent.add('STOPPING=1');
    this.#status = status;
    this.#goOn();
  }

  /** What the Pod waits on or does, in a few words of one line. */
  status(text: string): void {
    this.#status = text;
    this.#goOn();
  }

  /** What is urgent still goes out, such as the stop; a program that takes longer than a moment is ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#cancelWatchdog?.();
    const cancel = this.#parts.later(LIMITS.closeStepMs, () => {
      this.#over = true;
      this.#running?.stop.abort();
    });
    while (this.#running !== null) await this.#running.end;
    cancel();
    this.#cancelStatus?.();
    this.#over = true;
  }

  #watch(): void {
    const { watchdogMs, later } = this.#parts;
    if (watchdogMs === null || this.#over) return;
    this.#cancelWatchdog = later(watchdogMs / 2, () => {
      this.#urgent.add('WATCHDOG=1');
      this.#goOn();
      this.#watch();
    });
  }

  #goOn(): void {
    if (this.#over || this.#running !== null) return;
    const words = this.#takeWords();
    if (words.length === 0) return;
    const stop = new AbortController();
    // Nobody else waits for it, so what it threw would end the Pod.
    this.#running = { stop, end: this.#send(words, stop.signal).catch(() => undefined) };
  }

  /** What is to be said now; a status that has to wait sets its timer. */
  #takeWords(): string[] {
    const words: string[] = [...this.#urgent];
    const status = this.#status === this.#statusTold ? null : this.#status;
    const now = this.#parts.monotonicMs();
    const waitMs = this.#statusAtMs + LIMITS.notifyStatusMs - now;
    if (status !== null && (this.#urgent.size > 0 || waitMs <= 0)) {
      words.push(`STATUS=${status}`);
      this.#statusTold = status;
      this.#statusAtMs = now;
    } else if (status !== null)
      this.#cancelStatus ??= this.#parts.later(waitMs, () => {
        this.#cancelStatus = null;
        this.#goOn();
      });
    this.#urgent.clear();
    return words;
  }

  async #send(words: readonly string[], signal: AbortSignal): Promise<void> {
    const { log } = this.#parts;
    const end = await this.#run(words, signal);
    this.#running = null;
    if (end === 'missing') {
      this.#over = true;
      this.#cancelWatchdog?.();
      log.info('there is no systemd-notify: only the ready line tells that the Pod serves');
      return;
    }
    // The same reason may hold for as long as the Pod lives.
    if (end === 'failed')
      log[this.#hasFailed ? 'debug' : 'warn']('systemd was not told', { words });
    this.#hasFailed ||= end === 'failed';
    this.#goOn();
  }

  async #run(words: readonly string[], signal: AbortSignal): ReturnType<RunNotify> {
    try {
      return await this.#parts.run(['--no-block', `--pid=${this.#parts.pid}`, ...words], signal);
    } catch {
      return 'failed';
    }
  }
}
