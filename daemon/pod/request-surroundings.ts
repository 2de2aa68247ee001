import type { Fault } from '../core/fault.ts';
import type { PodControl } from '../ports/pod-control.ts';
import type { Life } from './life.ts';
import type { Control } from './pod-events.ts';
import type { PodParts } from './pod-parts.ts';
import type { Runs } from './runs.ts';

/** What answering requests needs of the Pod around it. */
export type RequestSurroundings = {
  readonly parts: PodParts;
  readonly life: Life;
  readonly runs: Runs;
  readonly push: (event: Control) => void;
  readonly view: PodControl['view'];
  /** Why nothing is taken on any more. */
  readonly stopping: () => Fault;
  /** Aborts when the Pod's loop ends. */
  readonly signal: AbortSignal;
};
