import type { Surroundings } from '../find-pods.ts';

/** All that a command has of its process; `main` makes the real one. */
export type Shell = Surroundings & {
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly out: Output;
  readonly err: Output;
  /** Called at each Ctrl-C until it is disposed of; the process then no longer ends by itself. */
  readonly onInterrupt: (listener: () => void) => Disposable;
};

export type Output = {
  readonly write: (text: string) => void;
  readonly isTerminal: boolean;
};

/** EXIT-1's for `podctl run`, and sysexits for what comes before a run. */
export const EXIT = {
  finished: 0,
  failed: 1,
  paused: 2,
  limit_reached: 3,
  cancelled: 4,
  usage: 64,
  unreachable: 69,
  bug: 70,
  interrupted: 130,
  brokenPipe: 141,
} as const;

/** What the user wrote makes no sense; ends in `EXIT.usage`. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
