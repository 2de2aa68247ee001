import { findPlace, isMatch, type Replay } from './replay.ts';
import type { Script, ScriptStep } from './script.ts';

/**
 * The next step. `played` are the places of steps without a trace in the history that were played already: asking
 * again gets past them. That is memory of a process; after a restart they play once more.
 */
export type StepPlan =
  | {
      readonly kind: 'play';
      readonly step: ScriptStep;
      readonly place: number;
      /** Which answer of the history this is, from 1. */
      readonly answer: number;
    }
  /** In a loop, all that matches was played without a trace: the caller forgets it. */
  | { readonly kind: 'round_played' }
  | { readonly kind: 'used_up'; readonly answer: number };

export function planStep(script: Script, replay: Replay, played: ReadonlySet<number>): StepPlan {
  const answer = replay.answers + 1;
  const matches = (step: ScriptStep): boolean => isMatch(step, replay.heard);
  const place = findPlace(script, replay.next, (step, at) => !played.has(at) && matches(step));
  const step = place === null ? undefined : script.steps[place % script.steps.length];
  if (place !== null && step !== undefined) return { kind: 'play', step, place, answer };
  const again = script.loop && findPlace(script, replay.next, matches) !== null;
  return again ? { kind: 'round_played' } : { kind: 'used_up', answer };
}
