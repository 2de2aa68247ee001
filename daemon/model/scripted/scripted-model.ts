import type { Item } from '../../../protocol/items.ts';
import type { Usage } from '../../../protocol/report.ts';
import { invariant } from '../../core/assert.ts';
import { Fault } from '../../core/fault.ts';
import type { Model, ModelEvent, ModelRequest } from '../../ports/model.ts';
import { pause } from '../../support/pause.ts';
import {
  type Answer,
  answerBytes,
  answerEvents,
  brokenEvents,
  fillAnswer,
} from './answer-events.ts';
import { namedVariables } from './fill.ts';
import { planStep, type StepPlan } from './plan-step.ts';
import { leavesTrace, REPLAY_START, type Replay, replayItem } from './replay.ts';
import type { Script, ScriptStep } from './script.ts';

export type ScriptedOptions = {
  /** The model's name in messages and records. */
  readonly name: string;
  readonly cwd: string;
  /** The only variables that the script can reach. */
  readonly env: Readonly<Record<string, string>>;
  /** Tokens. */
  readonly contextWindow?: number;
};

/** What a provider's adapter would try again. */
const RETRYABLE = [408, 409, 429, 500, 502, 503, 504, 529];
const BYTES_PER_TOKEN = 4;
/** Without a pause of its own an answer gives way to other work after so many events. */
const EVENTS_AT_ONCE = 32;

/**
 * A model that plays a script. Its place follows from the history alone; only which failures it has played already
 * is kept in memory, so that asking again gets past them. Throws `provider_unusable` if the script names a variable
 * that is not there.
 */
export function openScriptedModel(script: Script, options: ScriptedOptions): Model {
  for (const name of namedVariables(script.steps))
    if (!Object.hasOwn(options.env, name))
      throw new Fault(
        'provider_unusable',
        `the script ${options.name} names {{env.${name}}}, which is not set`,
      );
  const played = new Set<number>();
  const reader = new HistoryReader(script);

  async function* stream(
    request: ModelRequest,
    signal: AbortSignal,
  ): AsyncGenerator<ModelEvent, void> {
    signal.throwIfAborted();
    const replay = reader.read(request.items);
    const { step, place, answer: number } = nextStep(script, replay, played, options.name);
    // Past the ids of all calls in the history, also where a compaction took the answers before them.
    const ids = Math.max(number, replay.lastCall + 1);
    const answer = fillAnswer(step, { ...options, ...replay }, ids);
    const finish = (): void => {
      if (!leavesTrace(step)) remember(played, place, script.steps.length);
    };
    const events =
      step.failure === null
        ? answerEvents(answer, step.chunkBytes)
        : brokenEvents(answer, step.chunkBytes);
    yield* paced(events, step.delayMs, signal);
    finish();
    if (step.failure !== null) throw toFault(step.failure, options.name);
    yield { kind: 'usage', usage: reckonUsage(step, request, replay.bytes, answer) };
    yield { kind: 'stopped', reason: step.stopReason };
  }

  return {
    provider: 'scripted',
    model: options.name,
    ...(options.contextWindow === undefined ? {} : { contextWindow: options.contextWindow }),
    stream,
  };
}

/** Reads a history that grows by what is new; one that is not the last one grown is read anew. */
class HistoryReader {
  readonly #script: Script;
  #items: Item[] = [];
  #replay = REPLAY_START;

  constructor(script: Script) {
    this.#script = script;
  }

  read(items: readonly Item[]): Replay {
    if (this.#items.some((item, index) => items[index] !== item)) {
      this.#items = [];
      this.#replay = REPLAY_START;
    }
    for (const item of items.slice(this.#items.length)) {
      this.#items.push(item);
      this.#replay = replayItem(this.#script, this.#replay, item);
    }
    return this.#replay;
  }
}

function nextStep(
  script: Script,
  replay: Replay,
  played: Set<number>,
  name: string,
): Extract<StepPlan, { kind: 'play' }> {
  let plan = planStep(script, replay, played);
  if (plan.kind === 'round_played') {
    played.clear();
    plan = planStep(script, replay, played);
  }
  if (plan.kind === 'play') return plan;
  invariant(plan.kind === 'used_up', 'a round of failures was forgotten and is still there');
  const asked = ` (${script.steps.length} steps, the history asks for answer ${plan.answer})`;
  const what = script.loop ? 'no step that matches' : 'no step left';
  throw new Fault('provider_error', `the script ${name} has ${what}${asked}`, {
    data: { reason: 'script_used_up', retryable: false },
  });
}

/** Places more than a round behind can't come up again. */
function remember(played: Set<number>, place: number, round: number): void {
  played.add(place);
  for (const other of played) if (other < place - round) played.delete(other);
}

async function* paced(
  events: Iterable<ModelEvent>,
  delayMs: number,
  signal: AbortSignal,
): AsyncGenerator<ModelEvent, void> {
  await pause(delayMs, signal);
  let first = true;
  let sinceTurn = 0;
  for (const event of events) {
    if (event.kind === 'delta') {
      if (!first && delayMs > 0) await pause(delayMs, signal);
      first = false;
    }
    sinceTurn += 1;
    // Promises alone would keep the sockets waiting until the whole answer is out.
    if (sinceTurn % EVENTS_AT_ONCE === 0) await pause(0, signal);
    signal.throwIfAborted();
    yield event;
  }
}

function reckonUsage(
  step: ScriptStep,
  request: ModelRequest,
  items: number,
  answer: Answer,
): Usage {
  const fixed =
    Buffer.byteLength(request.systemPrompt) + Buffer.byteLength(JSON.stringify(request.tools));
  return {
    inputTotal: Math.ceil((fixed + items) / BYTES_PER_TOKEN),
    cacheRead: 0,
    cacheWrite: 0,
    output: Math.ceil(answerBytes(answer) / BYTES_PER_TOKEN),
    ...step.usage,
  };
}

function toFault(failure: NonNullable<ScriptStep['failure']>, name: string): Fault {
  if (failure.kind === 'disconnect')
    return new Fault('provider_error', `the script ${name} broke the answer off`, {
      data: { reason: 'disconnect', retryable: true },
    });
  const { status } = failure;
  return new Fault('provider_error', `the script ${name} answers with status ${status}`, {
    data: { status, retryable: RETRYABLE.includes(status) },
  });
}
