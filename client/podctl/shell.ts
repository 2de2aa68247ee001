import type { Surroundings } from '../find-pods.ts';

/** All that a command has of its process; `main` makes the real one. */
export type Shell = Surroundings & {
  /** The home that the user database has for this uid, whatever `$HOME` says; null if it has none. */
  readonly userHome: string | null;
  /** Where the JSON Schema of manifests lies, for editors. */
  readonly schema: string;
  readonly stdin: AsyncIterable<Uint8Array>;
  /** A person types there. */
  readonly stdinIsTerminal: boolean;
  /** Stdin is not read any more, and keeps the process no longer. */
  readonly leaveStdin: () => void;
  /** The program `podd`, and what comes before its flags; undefined: the one that lies beside this. */
  readonly podd?: readonly [string, ...string[]] | undefined;
  readonly out: Output;
  readonly err: Output;
  /** Called at each Ctrl-C until it is disposed of; the process then no longer ends by itself. */
  readonly onInterrupt: (listener: () => void) => Disposable;
};

export type Output = {
  readonly write: (text: string) => void;
  /** Resolves when what was written is taken, or little enough of it waits. */
  readonly drained: () => Promise<void>;
  readonly isTerminal: boolean;
  /** Of a terminal, where it tells. */
  readonly columns?: number;
};

/** EXIT-1's for `podctl run`, and sysexits for what comes before a run. */
export const EXIT = {
  finished: 0,
  failed: 1,
  paused: 2,
  limit_reached: 3,
  cancelled: 4,
  usage: 64,
  badRegistry: 65,
  unreachable: 69,
  bug: 70,
  interrupted: 130,
  brokenPipe: 141,
} as const;

/** What the user wrote makes no sense; ends in `EXIT.usage`. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
