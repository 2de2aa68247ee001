import type { Reply } from '../../protocol/methods.ts';
import type { Deferred } from '../support/deferred.ts';
import type { RunEnd } from '../worker/run-turns.ts';
import type { OpenRun, RunRequest } from './open-run.ts';

/** Why a Pod stops, as the journal records it and subscribers are told. */
export type StopReason = 'client' | 'signal' | 'fenced';

export type Prepared =
  /** `systemPrompt` is null for a session that has one. */
  | { readonly kind: 'ready'; readonly systemPrompt: string | null }
  | { readonly kind: 'failed'; readonly error: unknown };

/** Never refused, and taken before any work. */
export type Control =
  | { readonly kind: 'cancelAsked'; readonly answer: Deferred<Reply<'Cancel'>> }
  | {
      readonly kind: 'stopAsked';
      readonly mode: 'now' | 'graceful';
      readonly deadlineMs: number;
      readonly reason: StopReason;
      readonly answer: Deferred<void>;
    }
  | { readonly kind: 'prepareEnded'; readonly run: OpenRun; readonly prepared: Prepared }
  | { readonly kind: 'workerEnded'; readonly run: OpenRun; readonly end: RunEnd }
  | { readonly kind: 'cancelOverdue'; readonly run: OpenRun }
  | { readonly kind: 'stopCancelDue' }
  | { readonly kind: 'stopOverdue' }
  | { readonly kind: 'bugMet'; readonly error: unknown };

/** Bounded: over the limit it is refused with `busy`. */
export type Work =
  | { readonly kind: 'runAsked'; readonly request: RunRequest }
  | { readonly kind: 'resumeAsked'; readonly request: RunRequest };
