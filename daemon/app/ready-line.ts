import { readdirSync, readFileSync, readlinkSync, writeSync } from 'node:fs';
import { Fault } from '../core/fault.ts';
import { unrefLater } from './log-stderr.ts';
import { StderrLines } from './stderr-lines.ts';
import { openStderrSink } from './stderr-sink.ts';

/** The way to whoever waits for the ready line. It is open to the end of the process: its number must name nothing else. */
export type ReadyLine = Disposable & { readonly tell: (line: string) => void };

const O_ACCMODE = 0o3;
const O_RDONLY = 0;

/**
 * Looked at before anything of ours is opened: a number that nobody handed to us would later be a file of the store.
 * Throws `usage`. The line never waits for its reader, and is tried again until it is taken.
 */
export function openReadyLine(fd: number): ReadyLine {
  const refused = whyNot(fd);
  if (refused !== null)
    throw new Fault(
      'usage',
      `--ready-fd ${fd} ${refused}: open it when you start podd, as in ${fd}>ready`,
    );
  const sink = openStderrSink(fd);
  if (sink === null)
    return {
      // Another user's terminal can't be written otherwise.
      tell: (line) => {
        writeSync(fd, line);
      },
      [Symbol.dispose]: () => undefined,
    };
  const lines = new StderrLines({ sink: sink.write, droppedLine: () => '', later: unrefLater });
  return {
    tell: (line) => {
      lines.write(line);
    },
    [Symbol.dispose]: () => {
      lines.close();
      sink[Symbol.dispose]();
    },
  };
}

function whyNot(fd: number): string | null {
  const link = linkOf(fd);
  if (link === null) return 'is not open';
  if (accessOf(fd) === O_RDONLY) return 'is open for reading only';
  const isOurs = fd > 2 && (link.startsWith('anon_inode:') || isReadHere(fd, link));
  return isOurs ? 'is Node’s own' : null;
}

/** Both ends of a pipe in one process are how Node talks to itself. */
function isReadHere(fd: number, link: string): boolean {
  if (!link.startsWith('pipe:')) return false;
  return readdirSync('/proc/self/fd')
    .map(Number)
    .some((other) => other !== fd && linkOf(other) === link && accessOf(other) === O_RDONLY);
}

function linkOf(fd: number): string | null {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return null;
  }
}

function accessOf(fd: number): number {
  const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1];
  return Number.parseInt(flags ?? '0', 8) & O_ACCMODE;
}
