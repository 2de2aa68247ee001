import type { Stats } from 'node:fs';
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs';
import { Fault } from '../core/fault.ts';
import type { Log } from '../ports/log.ts';
import { LIMITS } from '../core/limits.ts';
import type { LogLevel } from './options.ts';
import { LOG_LEVELS } from './options.ts';
import { withoutKeys, withoutSecrets } from './secrets.ts';

export type LogFile = AsyncDisposable & {
  readonly log: Log;
  /** Loads what formats the lines and writes those that came before. Until then at most `WAITING_MAX` wait. */
  readonly start: () => Promise<void>;
  /** Opens the path again, for whoever moved the file away (SIGHUP). */
  readonly reopen: () => void;
};

const WAITING_MAX = 1_000;

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
  const start = async (): Promise<void> => {
    // Loaded when the Pod is ready: it is not needed before, and a start is to be quick.
    const { default: pino } = await import('pino');
    const logger = pino(
      { level: options.level, base: { pod: options.pod, pid: process.pid } },
      {
        write: (line: string) => {
          file.write(line);
          options.also?.(line);
        },
      },
    );
    write = ({ level, message, fields }) => {
      logger[level](withoutSecrets(fields ?? {}), withoutKeys(message));
    };
    for (const line of waiting.splice(0)) write(line);
  };
  return {
    log: {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      fatal: at('fatal'),
    },
    start,
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
    [Symbol.asyncDispose]: async () => {
      try {
        // A start that failed: its lines say why.
        if (waiting.length > 0) await start();
      } finally {
        file.close();
      }
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
    const fd = openRegular(this.#path);
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

/** A pipe in its place is told, not waited on. A device such as /dev/null serves, since no write waits on it so. */
function openRegular(path: string): number {
  const { O_APPEND, O_CREAT, O_NOCTTY, O_NONBLOCK, O_WRONLY } = constants;
  let fd: number;
  try {
    fd = openSync(path, O_APPEND | O_CREAT | O_NOCTTY | O_NONBLOCK | O_WRONLY, 0o600);
  } catch (cause) {
    // For a pipe that nobody reads, the system's own word is `no such device`.
    throw notOpened(path, odd(lookAt(path)), cause);
  }
  const kind = odd(fstatSync(fd));
  if (kind === null) return fd;
  closeSync(fd);
  throw notOpened(path, kind);
}

function lookAt(path: string): Stats | null {
  try {
    return statSync(path);
  } catch {
    return null;
  }
}

/** What it is that can't be a log; null for what can. */
function odd(stats: Stats | null): string | null {
  if (stats === null || stats.isFile() || stats.isCharacterDevice()) return null;
  if (stats.isFIFO()) return 'a pipe';
  if (stats.isDirectory()) return 'a folder';
  return stats.isSocket() ? 'a socket' : 'a block device';
}

function notOpened(path: string, kind: string | null, cause?: unknown): Fault {
  const why = cause instanceof Error ? cause.message : 'unknown';
  const says = kind === null ? `: ${why}` : `: it is ${kind}, no file; move it away`;
  return new Fault('cannot_create', `cannot open the log ${path}${says}`, { cause });
}
