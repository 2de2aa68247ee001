import type { Phase, StateName } from '../../protocol/state.ts';
import { assertNever, invariant } from './assert.ts';
import type { RunId } from './ids.ts';

/** What a Pod is doing. `compacting` is a compaction without an open run; the wire calls it running, compacting. */
export type PodState =
  | { readonly kind: 'starting' }
  | { readonly kind: 'idle' }
  | { readonly kind: 'running'; readonly run: RunId; readonly phase: Phase }
  | { readonly kind: 'compacting' }
  | { readonly kind: 'paused'; readonly run: RunId }
  | { readonly kind: 'stopping'; readonly run: RunId | null }
  | { readonly kind: 'stopped' };

/** What a run's Worker reports as it goes on. */
export type Progress =
  /** The input is durable. */
  | { readonly kind: 'prepared' }
  | { readonly kind: 'answerBegan' }
  | { readonly kind: 'answerHadCalls' }
  /** A broken or empty answer is asked for again. */
  | { readonly kind: 'answerRetried' }
  /** The end of the turn was answered with more messages for the model. */
  | { readonly kind: 'turnContinued' }
  | { readonly kind: 'resultsCommitted' }
  | { readonly kind: 'yielded' }
  | { readonly kind: 'compactedInRun' };

export type LifeEvent =
  /** `paused` is the run that the last process left paused, or null. */
  | { readonly kind: 'ready'; readonly paused: RunId | null }
  | { readonly kind: 'runAccepted'; readonly run: RunId }
  /** Cancelled or failed before anything of the run was stored. */
  | { readonly kind: 'prepareAbandoned'; readonly run: RunId }
  | (Progress & { readonly run: RunId })
  /** Some calls wait for a decision, or the run was asked to pause. */
  | { readonly kind: 'pauseReached'; readonly run: RunId }
  /** The terminal record is durable, or could not be stored. */
  | { readonly kind: 'runEnded'; readonly run: RunId; readonly next: 'idle' | 'compacting' }
  | { readonly kind: 'compactAsked' }
  | { readonly kind: 'compactionEnded' }
  | { readonly kind: 'resumed'; readonly run: RunId; readonly openCalls: 'some' | 'none' }
  | { readonly kind: 'stillUndecided' }
  | { readonly kind: 'pausedCancelled' }
  | { readonly kind: 'pausedAbandoned'; readonly run: RunId }
  | { readonly kind: 'stopRequested' }
  | { readonly kind: 'drained' };

/** From which phases each report may come, and to which it leads. */
const PHASE_AFTER: Readonly<
  Record<Progress['kind'], { readonly from: readonly Phase[]; readonly to: Phase }>
> = {
  prepared: { from: ['preparing'], to: 'requesting' },
  answerBegan: { from: ['requesting'], to: 'streaming' },
  answerHadCalls: { from: ['streaming'], to: 'tools' },
  // An answer can break before its first event, so the phase may still be `requesting`.
  answerRetried: { from: ['requesting', 'streaming'], to: 'requesting' },
  turnContinued: { from: ['streaming'], to: 'requesting' },
  resultsCommitted: { from: ['tools'], to: 'requesting' },
  yielded: { from: ['requesting'], to: 'compacting' },
  compactedInRun: { from: ['compacting'], to: 'requesting' },
};

/** The only place a Pod changes state. An event that does not fit is a bug, not an error reply. */
export function nextPodState(state: PodState, event: LifeEvent): PodState {
  switch (event.kind) {
    case 'ready':
      mustBe(state, event, 'starting', 'stopping');
      // A stop may overtake the start; the start then ends in a Pod that is already stopping.
      if (state.kind === 'stopping') return state;
      return event.paused === null ? { kind: 'idle' } : { kind: 'paused', run: event.paused };
    case 'runAccepted':
      mustBe(state, event, 'idle');
      return { kind: 'running', run: event.run, phase: 'preparing' };
    case 'prepareAbandoned':
      mustBe(state, event, 'running', 'stopping');
      mustBeRun(state, event);
      if (state.kind === 'stopping') return { kind: 'stopping', run: null };
      invariant(state.phase === 'preparing', `run abandoned while ${state.phase}`);
      return { kind: 'idle' };
    case 'prepared':
    case 'answerBegan':
    case 'answerHadCalls':
    case 'answerRetried':
    case 'turnContinued':
    case 'resultsCommitted':
    case 'yielded':
    case 'compactedInRun': {
      mustBe(state, event, 'running', 'stopping');
      mustBeRun(state, event);
      // A run that ends gracefully still moves; a Pod that is stopping shows only that.
      if (state.kind === 'stopping') return state;
      const { from, to } = PHASE_AFTER[event.kind];
      invariant(from.includes(state.phase), `${event.kind} while ${state.phase}`);
      return { ...state, phase: to };
    }
    case 'pauseReached':
      mustBe(state, event, 'running', 'stopping');
      mustBeRun(state, event);
      if (state.kind === 'stopping') return { kind: 'stopping', run: null };
      return { kind: 'paused', run: state.run };
    case 'runEnded':
      mustBe(state, event, 'running', 'stopping');
      mustBeRun(state, event);
      if (state.kind === 'stopping') return { kind: 'stopping', run: null };
      return { kind: event.next };
    case 'compactAsked':
      mustBe(state, event, 'idle');
      return { kind: 'compacting' };
    case 'compactionEnded':
      mustBe(state, event, 'compacting', 'stopping');
      return state.kind === 'stopping' ? state : { kind: 'idle' };
    case 'resumed':
      mustBe(state, event, 'paused');
      return {
        kind: 'running',
        run: event.run,
        phase: event.openCalls === 'some' ? 'tools' : 'requesting',
      };
    case 'stillUndecided':
      mustBe(state, event, 'paused');
      return state;
    case 'pausedCancelled':
      mustBe(state, event, 'paused');
      return { kind: 'idle' };
    case 'pausedAbandoned':
      mustBe(state, event, 'paused');
      return { kind: 'running', run: event.run, phase: 'requesting' };
    case 'stopRequested':
      // Stops repeat: a second client, a signal. The first one stands.
      if (state.kind === 'stopping' || state.kind === 'stopped') return state;
      return { kind: 'stopping', run: state.kind === 'running' ? state.run : null };
    case 'drained':
      mustBe(state, event, 'stopping');
      invariant(state.run === null, 'drained while a run is open');
      return { kind: 'stopped' };
    default:
      return assertNever(event, 'nextPodState');
  }
}

/** How the wire names a state. */
export function toWireState(state: PodState): { state: StateName; phase?: Phase } {
  if (state.kind === 'running') return { state: 'running', phase: state.phase };
  if (state.kind === 'compacting') return { state: 'running', phase: 'compacting' };
  return { state: state.kind };
}

function mustBe<K extends PodState['kind']>(
  state: PodState,
  event: LifeEvent,
  ...kinds: readonly K[]
): asserts state is Extract<PodState, { kind: K }> {
  invariant(
    (kinds as readonly string[]).includes(state.kind),
    `${event.kind} came while the Pod was ${state.kind}, not ${kinds.join(' or ')}`,
  );
}

function mustBeRun(
  state: { readonly run: RunId | null },
  event: { readonly kind: string; readonly run: RunId },
): void {
  invariant(
    state.run === event.run,
    `${event.kind} of run ${event.run} while ${state.run ?? 'none'} was open`,
  );
}
