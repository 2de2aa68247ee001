import type { Params, Reply } from '../../protocol/methods.ts';
import type { AskedRun } from '../core/run-intake.ts';
import type { Deferred } from '../support/deferred.ts';
import type { RunEnd } from '../worker/run-turns.ts';
import type { FoundRun } from './find-run.ts';
import type { LookUp } from './look-ups.ts';
import type { CompactionEnd } from '../compaction/compaction-job.ts';
import type { Asker } from './askers.ts';
import type { OpenCompaction } from './open-compaction.ts';
import type { OpenRun } from './open-run.ts';

/** Why a Pod stops, as the journal records it and subscribers are told. */
export type StopReason = 'client' | 'signal' | 'fenced';

export type Prepared =
  /** `systemPrompt` is null for a session that has one. */
  | { readonly kind: 'ready'; readonly systemPrompt: string | null }
  | { readonly kind: 'failed'; readonly error: unknown };

/** Never refused, and taken before any work. */
export type Control =
  | {
      readonly kind: 'cancelAsked';
      /** What was open when it was asked: the request means this run. */
      readonly run: OpenRun | null;
      /** So it does of a compaction that worked alone then. */
      readonly compaction: OpenCompaction | null;
      readonly clearQueue: boolean;
      readonly answer: Deferred<Reply<'Cancel'>>;
    }
  | { readonly kind: 'pauseAsked'; readonly answer: Deferred<Reply<'Pause'>> }
  | {
      readonly kind: 'stopAsked';
      readonly mode: 'now' | 'graceful';
      readonly deadlineMs: number;
      readonly reason: StopReason;
      readonly answer: Deferred<void>;
    }
  | { readonly kind: 'prepareEnded'; readonly run: OpenRun; readonly prepared: Prepared }
  | { readonly kind: 'workerEnded'; readonly run: OpenRun; readonly end: RunEnd }
  | {
      readonly kind: 'compactionEnded';
      readonly compaction: OpenCompaction;
      readonly end: CompactionEnd;
    }
  /** How a run ended that was asked for again, or why that can't be read. */
  | {
      readonly kind: 'runLookedUp';
      readonly lookUp: LookUp;
      readonly found: FoundRun;
    }
  /** What waits may begin, if nothing else is under way. */
  | { readonly kind: 'queueDue' }
  /** So do notes whose run could not begin. */
  | { readonly kind: 'notesDue' }
  | { readonly kind: 'stopCancelDue' }
  | { readonly kind: 'stopOverdue' }
  | { readonly kind: 'bugMet'; readonly error: unknown };

/** Bounded: over the limit it is refused with `busy`. */
export type Work =
  | { readonly kind: 'runAsked'; readonly asked: AskedRun; readonly asker: Asker }
  | { readonly kind: 'resumeAsked'; readonly seen: AskedRun['seen']; readonly asker: Asker }
  | {
      readonly kind: 'compactAsked';
      readonly params: Params<'Compact'>;
      readonly answer: Deferred<Reply<'Compact'>>;
    }
  | {
      readonly kind: 'notifyAsked';
      readonly params: Params<'Notify'>;
      readonly answer: Deferred<Reply<'Notify'>>;
    };
