import { writeSync } from 'node:fs';
import { Writable } from 'node:stream';
import { isatty } from 'node:tty';
import { toPrettyLine } from './pretty-line.ts';
import { StderrLines } from './stderr-lines.ts';
import type { StderrSink } from './stderr-sink.ts';
import { openStderrSink } from './stderr-sink.ts';

const STDERR = 2;

/** All that podd says on stderr goes through here, so that nothing of it ever waits for a reader. */
export type Stderr = Disposable & {
  /** Text for whoever started podd; it is not in the log. */
  readonly say: (text: string) => void;
  readonly isTerminal: boolean;
  /** Takes a line of the log, JSON with its end. Null where none can be written without waiting. */
  readonly logLine: () => ((json: string) => void) | null;
};

export function openStderr(env: Readonly<Record<string, string | undefined>>): Stderr {
  const isTerminal = isatty(STDERR);
  const colours = isTerminal && !env['NO_COLOR'] && env['TERM'] !== 'dumb';
  const toLine = isTerminal
    ? (json: string): string => `${toPrettyLine(json, { colours })}\n`
    : (json: string): string => json;
  let opened: Opened | null = null;
  // Most Pods never say a word there.
  const lines = (): StderrLines | null => {
    opened ??= openLines((count) => toLine(droppedJson(count)));
    return opened?.lines ?? null;
  };
  return {
    isTerminal,
    say: (text) => {
      const to = lines();
      if (to === null) sayWaiting(text);
      else to.write(text);
    },
    logLine: () => {
      const to = lines();
      if (to === null) return null;
      return (json) => {
        to.write(toLine(json));
      };
    },
    [Symbol.dispose]: () => {
      opened?.lines.close();
      opened?.sink[Symbol.dispose]();
    },
  };
}

/**
 * Node's own stream makes the descriptor non-blocking for everyone who shares it, as soon as anything looks at
 * `process.stderr`; to load `node:assert` is enough. What libraries write there goes our way instead.
 */
export function replaceNodeStderr({ say }: Stderr): void {
  const value = new Writable({
    decodeStrings: false,
    write: (chunk: string | Buffer, _encoding, done) => {
      say(chunk.toString());
      done();
    },
  });
  Object.defineProperty(process, 'stderr', { value, configurable: true, enumerable: true });
}

type Opened = { readonly sink: StderrSink; readonly lines: StderrLines };

function openLines(droppedLine: (count: number) => string): Opened | null {
  const sink = openStderrSink(STDERR);
  if (sink === null) return null;
  const lines = new StderrLines({ sink: sink.write, droppedLine, later: unrefLater });
  return { sink, lines };
}

/** Another user's terminal, as after `su`, can't be written otherwise; it is for the few lines of a failed start only. */
function sayWaiting(text: string): void {
  try {
    writeSync(STDERR, text);
  } catch {
    // Nobody is there to be told.
  }
}

/** A timer that keeps no process alive. */
export function unrefLater(ms: number, then: () => void): () => void {
  const timer = setTimeout(then, ms).unref();
  return () => {
    clearTimeout(timer);
  };
}

/** As a line of the log, so that a reader needs no second parser. */
function droppedJson(count: number): string {
  const msg = `${count} lines were dropped: stderr was not read; they are in podd.log`;
  return `${JSON.stringify({ level: 40, time: Date.now(), msg })}\n`;
}
