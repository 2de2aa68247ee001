import type { Fault } from '../core/fault.ts';
import type { PodControl } from '../ports/pod-control.ts';
import type { Life } from './life.ts';
import type { Compactions } from './compactions.ts';
import type { Control, Work } from './pod-events.ts';
import type { PodParts } from './pod-parts.ts';
import type { Runs } from './runs.ts';

/** What answering requests needs of the Pod around it. */
export type RequestSurroundings = {
  readonly parts: PodParts;
  readonly life: Life;
  readonly runs: Runs;
  readonly compactions: Compactions;
  readonly push: (event: Control) => void;
  /** Takes it on when the compaction that works alone has ended; false: too many wait. */
  readonly afterCompaction: (event: Work) => boolean;
  readonly view: PodControl['view'];
  /** Why nothing is taken on any more. */
  readonly stopping: () => Fault;
  /** Aborts when the Pod's loop ends. */
  readonly signal: AbortSignal;
};
