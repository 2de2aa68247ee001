import type { JournalState, SeenRequest } from './entry.ts';
import type { RunId } from './ids.ts';
import { LIMITS } from './limits.ts';
import type { PodState } from './pod-state.ts';
import { lookUpRequest } from './seen-requests.ts';

/** What a client wants with an input. */
export type AskedRun = {
  readonly text: string;
  /** The client's own id for it, and the hash of its text; null where it gave none. */
  readonly seen: Pick<SeenRequest, 'method' | 'requestId' | 'hash'> | null;
  readonly queue: boolean;
  /** Not to wait for a compaction that works without a run. */
  readonly preempt: boolean;
  readonly abandonPaused: boolean;
};

/** The open run, if the request that began it had an id. */
export type OpenRequest = {
  readonly runId: RunId;
  readonly seen: AskedRun['seen'];
};

export type Intake =
  | { readonly kind: 'begin' }
  /** Ends the pause, closes what it left open, and begins. */
  | { readonly kind: 'abandonPaused' }
  | { readonly kind: 'queue' }
  /** It was asked for before and is under way. */
  | { readonly kind: 'attachOpen' }
  | { readonly kind: 'attachQueued'; readonly runId: RunId }
  /** It was asked for before and is over: how it ended is in the log. */
  | {
      readonly kind: 'lookUp';
      readonly run: NonNullable<SeenRequest['run']>;
      readonly seen: NonNullable<AskedRun['seen']>;
    }
  | {
      readonly kind: 'refuse';
      readonly code: 'conflict' | 'already_running' | 'busy';
      readonly says: string;
    };

/** Pure. What becomes of an input: a run, a place in the queue, or a run that is there already (PROTO-17, PROTO-19). */
export function planIntake(
  state: Exclude<PodState['kind'], 'stopping' | 'stopped'>,
  journal: Pick<JournalState, 'inputs' | 'requests'>,
  open: OpenRequest | null,
  asked: AskedRun,
): Intake {
  if (asked.seen !== null) {
    const again = planAgain(journal, open, asked.seen);
    if (again !== null) return again;
  }
  // Idle with a queue is a Pod whose disk failed; who queues keeps the order.
  if (state === 'idle' && (journal.inputs.length === 0 || !asked.queue)) return { kind: 'begin' };
  if (state === 'paused' && asked.abandonPaused) return { kind: 'abandonPaused' };
  // A compaction is no run: the input waits for it.
  if (asked.queue || state === 'compacting')
    return hasRoom(journal, asked.text) ? { kind: 'queue' } : FULL;
  const says = open === null ? `this Pod is ${state}` : `run ${open.runId} is open`;
  return { kind: 'refuse', code: 'already_running', says };
}

export const QUEUE_FULL = `the queue is full: at most ${LIMITS.queuedInputs} inputs, and ${LIMITS.queuedInputUnits} characters, wait`;

const FULL: Intake = {
  kind: 'refuse',
  code: 'busy',
  says: QUEUE_FULL,
};

function planAgain(
  journal: Pick<JournalState, 'inputs' | 'requests'>,
  open: OpenRequest | null,
  seen: NonNullable<AskedRun['seen']>,
): Intake | null {
  // One that is being prepared is not stored yet.
  const isOpen = open?.seen?.method === seen.method && open.seen.requestId === seen.requestId;
  if (isOpen && open.seen.hash === seen.hash) return { kind: 'attachOpen' };
  const found = lookUpRequest(journal.requests, seen);
  if (isOpen || found.kind === 'conflict')
    return {
      kind: 'refuse',
      code: 'conflict',
      says: `the id ${seen.requestId} was given to something else before`,
    };
  if (found.kind === 'new') return null;
  const { run } = found.request;
  if (run === undefined) return null;
  if (run.runId === open?.runId) return { kind: 'attachOpen' };
  return journal.inputs.some(({ runId }) => runId === run.runId)
    ? { kind: 'attachQueued', runId: run.runId }
    : { kind: 'lookUp', run, seen };
}

export function hasRoom({ inputs }: Pick<JournalState, 'inputs'>, text: string): boolean {
  const units = inputs.reduce((sum, input) => sum + input.text.length, text.length);
  return (
    inputs.length < LIMITS.queuedInputs && (inputs.length === 0 || units <= LIMITS.queuedInputUnits)
  );
}
