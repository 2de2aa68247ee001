import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';
import type { Log } from '../ports/log.ts';
import { LIMITS } from '../core/limits.ts';
import type { LogLevel } from './options.ts';
import { LOG_LEVELS } from './options.ts';

export type LogFile = AsyncDisposable & {
  readonly log: Log;
  /** Loads what formats the lines and writes those that came before. Until then at most `WAITING_MAX` wait. */
  readonly start: () => Promise<void>;
  /** Opens the path again, for whoever moved the file away (SIGHUP). */
  readonly reopen: () => void;
};

const WAITING_MAX = 1_000;
/** Keys of the shapes that providers give out; in whatever text they turn up. */
const SECRETS = /\b(?:sk|key|pat|ghp|xox[abp])[-_][\w-]{8,}/g;

type Line = {
  readonly level: keyof Log;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>> | undefined;
};

export type LogOptions = {
  readonly level: LogLevel;
  readonly pod: string;
  /** Gets each line too, as it stands in the file. It must not wait. */
  readonly also?: ((line: string) => void) | null;
};

/**
 * The daemon's own log: pino's JSON lines in one file, written synchronously so that none is lost in a crash. A file
 * never blocks; what the disk does not take is counted and said with the next line that it does.
 */
export function openLogFile(path: string, options: LogOptions): LogFile {
  const file = new CappedFile(path);
  const waiting: Line[] = [];
  let write = (line: Line): void => {
    if (waiting.length < WAITING_MAX) waiting.push(line);
  };
  const tooFine = LOG_LEVELS.slice(0, LOG_LEVELS.indexOf(options.level));
  const at = (level: Line['level']): Log[Line['level']] =>
    tooFine.some((one) => one === level)
      ? () => undefined
      : (message, fields) => {
          write({ level, message, fields });
        };
  return {
    log: {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      fatal: at('fatal'),
    },
    start: async () => {
      // Loaded when the Pod is ready: it is not needed before, and a start is to be quick.
      const { default: pino } = await import('pino');
      const logger = pino(
        { level: options.level, base: { pod: options.pod, pid: process.pid } },
        {
          write: (line: string) => {
            const clean = line.replace(SECRETS, '***');
            file.write(clean);
            options.also?.(clean);
          },
        },
      );
      write = ({ level, message, fields }) => {
        logger[level](fields ?? {}, message);
      };
      for (const line of waiting.splice(0)) write(line);
    },
    reopen: () => {
      try {
        file.reopen();
      } catch (error) {
        write({
          level: 'error',
          message: 'the log could not be opened again',
          fields: { err: error },
        });
      }
    },
    [Symbol.asyncDispose]: () => {
      file.close();
      return Promise.resolve();
    },
  };
}

/** A file that begins anew at its cap, with one older file kept beside it. */
class CappedFile {
  readonly #path: string;
  #fd: number | null = null;
  #bytes = 0;
  #lost = 0;
  /** The last line stands there in part. */
  #torn = false;

  constructor(path: string) {
    this.#path = path;
    this.reopen();
  }

  write(line: string): void {
    if (this.#fd === null) return;
    try {
      const bytes = Buffer.from(this.#lost === 0 ? line : `${this.#tellLost()}${line}`, 'utf8');
      if (this.#bytes > 0 && this.#bytes + bytes.length > LIMITS.logFileBytes) this.#beginAnew();
      const written = writeSync(this.#fd, bytes);
      this.#bytes += written;
      this.#torn = written < bytes.length;
      this.#lost = this.#torn ? this.#lost + 1 : 0;
    } catch {
      // A full disk must not end the daemon that could free it.
      this.#lost += 1;
    }
  }

  reopen(): void {
    // The old one goes only when the new one is there.
    const fd = openSync(this.#path, 'a', 0o600);
    this.close();
    this.#fd = fd;
    this.#bytes = fstatSync(fd).size;
    this.#torn = false;
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }

  #beginAnew(): void {
    try {
      renameSync(this.#path, `${this.#path}.1`);
    } catch (error) {
      // Somebody moved it away, or the rename went well the last time and the opening did not.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    this.reopen();
  }

  #tellLost(): string {
    const msg = `${this.#lost} lines were lost: the disk took none`;
    return `${this.#torn ? '\n' : ''}${JSON.stringify({ level: 40, time: Date.now(), msg })}\n`;
  }
}
