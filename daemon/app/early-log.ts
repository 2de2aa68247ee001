import { Fault } from '../core/fault.ts';
import type { Log } from '../ports/log.ts';

const WAITING_MAX = 1_000;

/**
 * A log for what comes before the log file, which lies in a folder that is the Pod's only once its name is claimed.
 * Lines wait for `connect`; a start that fails before says what matters on stderr.
 */
export class EarlyLog {
  readonly #waiting: ((log: Log) => void)[] = [];
  readonly #errors: string[] = [];
  #log: Log | null = null;

  readonly log: Log = {
    debug: this.#at('debug'),
    info: this.#at('info'),
    warn: this.#at('warn'),
    error: this.#at('error'),
    fatal: this.#at('fatal'),
  };

  connect(log: Log): void {
    this.#log = log;
    for (const write of this.#waiting.splice(0)) write(log);
  }

  /** The fault of a start that ended before there was a log, with what an error line of that time said. */
  explain(error: unknown): unknown {
    if (!(error instanceof Fault) || this.#errors.length === 0 || this.#log !== null) return error;
    const message = `${error.message} (before that: ${this.#errors.join('; ')})`;
    return new Fault(error.code, message, { cause: error, data: error.data });
  }

  #at(level: keyof Log): Log[keyof Log] {
    return (message, fields) => {
      const write = (log: Log): void => {
        log[level](message, fields);
      };
      if (this.#log !== null) write(this.#log);
      else if (this.#waiting.length < WAITING_MAX) {
        this.#waiting.push(write);
        if (level === 'error') this.#errors.push(message);
      }
    };
  }
}
