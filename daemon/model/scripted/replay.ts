import type { Item } from '../../../protocol/items.ts';
import { isAnswerPart } from '../../core/checked-items.ts';
import { itemBytes } from '../../core/item-bytes.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Script, ScriptStep } from './script.ts';

/**
 * Where a script stands, read from the history alone, so that a restart goes on where the answers ended. The answers
 * are played through again: each took the first step, from where the one before it stopped, whose `when` matched
 * what stood before it. Steps that leave nothing in a history (failures, and answers without text and calls) can't
 * be told from it and are not counted.
 */
export type Replay = {
  readonly answers: number;
  /** The first place that is not behind us. Places count on through the rounds of a loop. */
  readonly next: number;
  /** The last part of the history belongs to an answer that may still go on. */
  readonly inAnswer: boolean;
  /** The last user text or tool result: what a `when` is tested on. */
  readonly heard: string;
  readonly input: string;
  readonly lastResult: string;
  /** The highest number in an id that a script gave to a call. */
  readonly lastCall: number;
  readonly bytes: number;
};

export const REPLAY_START: Replay = {
  answers: 0,
  next: 0,
  inAnswer: false,
  heard: '',
  input: '',
  lastResult: '',
  lastCall: 0,
  bytes: 0,
};

/** The history's next item. */
export function replayItem(script: Script, before: Replay, item: Item): Replay {
  const replay = { ...before, bytes: before.bytes + itemBytes(item) };
  if (isAnswerPart(item)) return replayPart(script, replay, item);
  const other = { ...replay, inAnswer: false };
  if (item.type === 'tool_result') {
    const heard = `${item.summary}\n${item.content ?? ''}`;
    return { ...other, heard, lastResult: item.content ?? item.summary };
  }
  if (item.type !== 'message' || item.role !== 'user') return other;
  const input = item.content
    .map((part) => (part.type === 'text' ? part.text : part.refusal))
    .join('\n');
  return { ...other, heard: input, input };
}

function replayPart(script: Script, replay: Replay, part: Item): Replay {
  const number = part.type === 'tool_call' ? /^call_(\d+)_\d+$/.exec(part.callId)?.[1] : undefined;
  const lastCall = Math.max(replay.lastCall, Number(number ?? 0));
  // An answer that was cut off ends there: what follows without a word between is the next one.
  const inAnswer = !(part.type === 'message' && part.status === 'incomplete');
  if (replay.inAnswer) return { ...replay, lastCall, inAnswer };
  const taken = findPlace(
    script,
    replay.next,
    (step) => leavesTrace(step) && isMatch(step, replay.heard),
  );
  // An answer that no step explains (another model's) takes none.
  const next = taken === null ? replay.next : taken + 1;
  return { ...replay, answers: replay.answers + 1, next, lastCall, inAnswer };
}

/** Whether an answer by this step is seen in the history. */
export function leavesTrace(step: ScriptStep): boolean {
  return step.failure === null && (step.text !== '' || step.calls.length > 0);
}

export function isMatch(step: ScriptStep, heard: string): boolean {
  return step.when === null || step.when.test(heard.slice(0, LIMITS.scriptMatchUnits));
}

/** The first place from `from` on that is wanted; in a loop, within one round. */
export function findPlace(
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
