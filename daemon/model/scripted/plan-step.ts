import type { Item } from '../../../protocol/items.ts';
import { isAnswerPart } from '../../core/checked-items.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Script, ScriptStep } from './script.ts';

/**
 * Which step comes next is derived from the history, so a restart goes on where the answers ended. The answers in
 * the history are played through again: each took the first step, from where the one before it stopped, whose
 * `when` matched what stood before it. Steps that leave nothing in a history (failures, and answers without text
 * and calls) can't be told from it; the caller remembers those it has played, and after a restart they play again.
 *
 * Steps are counted on through the rounds of a loop: place 7 of three steps is the second one's third time.
 */
export type StepPlan =
  | {
      readonly kind: 'play';
      readonly step: ScriptStep;
      readonly place: number;
      /** Which answer of the history this is, from 1. */
      readonly answer: number;
    }
  /** The failures of a whole round were played and nothing else matches: the caller forgets them. */
  | { readonly kind: 'round_played' }
  | { readonly kind: 'used_up'; readonly answer: number };

export function planStep(
  script: Script,
  items: readonly Item[],
  played: ReadonlySet<number>,
): StepPlan {
  const replay = replayAnswers(script, items);
  const answer = replay.answers + 1;
  const matches = (step: ScriptStep): boolean => isMatch(step, replay.heard);
  const place = findPlace(script, replay.next, (step, at) => matches(step) && !played.has(at));
  const step = place === null ? undefined : script.steps[place % script.steps.length];
  if (place !== null && step !== undefined) return { kind: 'play', step, place, answer };
  const again = script.loop && findPlace(script, replay.next, matches) !== null;
  return again ? { kind: 'round_played' } : { kind: 'used_up', answer };
}

/** Whether an answer by this step is seen in the history. */
export function leavesTrace(step: ScriptStep): boolean {
  return step.failure === null && (step.text !== '' || step.calls.length > 0);
}

type Replay = {
  readonly answers: number;
  /** The first place that is not behind us. */
  readonly next: number;
  /** What the next step's `when` is tested on. */
  readonly heard: Item | undefined;
};

function replayAnswers(script: Script, items: readonly Item[]): Replay {
  let answers = 0;
  let next = 0;
  let heard: Item | undefined;
  let inAnswer = false;
  for (const item of items) {
    if (!isAnswerPart(item)) {
      inAnswer = false;
      if (item.type === 'tool_result' || (item.type === 'message' && item.role === 'user'))
        heard = item;
      continue;
    }
    if (!inAnswer) {
      answers += 1;
      const taken = findPlace(script, next, (step) => leavesTrace(step) && isMatch(step, heard));
      // An answer that no step explains (another model's) takes none.
      if (taken !== null) next = taken + 1;
    }
    // An answer that was cut off ends there: what follows without a word between is the next one.
    inAnswer = !(item.type === 'message' && item.status === 'incomplete');
  }
  return { answers, next, heard };
}

/** The first place from `from` on that is wanted; in a loop, within one round. */
function findPlace(
  script: Script,
  from: number,
  isWanted: (step: ScriptStep, place: number) => boolean,
): number | null {
  const end = script.loop ? from + script.steps.length : script.steps.length;
  for (let place = from; place < end; place += 1) {
    const step = script.steps[place % script.steps.length];
    if (step !== undefined && isWanted(step, place)) return place;
  }
  return null;
}

function isMatch(step: ScriptStep, heard: Item | undefined): boolean {
  return step.when === null || step.when.test(textOf(heard).slice(0, LIMITS.scriptMatchUnits));
}

/** What a model reads of a user message or a tool result. */
function textOf(item: Item | undefined): string {
  if (item?.type === 'tool_result') return `${item.summary}\n${item.content ?? ''}`;
  return item?.type === 'message' ? messageText(item) : '';
}

export function messageText(item: Extract<Item, { type: 'message' }>): string {
  return item.content.map((part) => (part.type === 'text' ? part.text : part.refusal)).join('\n');
}
