import { setImmediate, setTimeout } from 'node:timers/promises';
import type { Item } from '../../../protocol/items.ts';
import type { Usage } from '../../../protocol/report.ts';
import { invariant } from '../../core/assert.ts';
import { Fault } from '../../core/fault.ts';
import { itemBytes } from '../../core/item-bytes.ts';
import type { Model, ModelEvent, ModelRequest } from '../../ports/model.ts';
import {
  type Answer,
  answerBytes,
  answerEvents,
  brokenEvents,
  fillAnswer,
} from './answer-events.ts';
import { type FillValues, namedVariables } from './fill.ts';
import { leavesTrace, messageText, planStep, type StepPlan } from './plan-step.ts';
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

  async function* stream(
    request: ModelRequest,
    signal: AbortSignal,
  ): AsyncGenerator<ModelEvent, void> {
    signal.throwIfAborted();
    const { step, place, answer: number } = nextStep(script, request.items, played, options.name);
    const ids = Math.max(number, nextCallNumber(request.items));
    const answer = fillAnswer(step, fillValues(request.items, options), ids);
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
    yield { kind: 'usage', usage: reckonUsage(step, request, answer) };
    yield { kind: 'stopped', reason: step.stopReason };
  }

  return {
    provider: 'scripted',
    model: options.name,
    ...(options.contextWindow === undefined ? {} : { contextWindow: options.contextWindow }),
    stream,
  };
}

function nextStep(
  script: Script,
  items: readonly Item[],
  played: Set<number>,
  name: string,
): Extract<StepPlan, { kind: 'play' }> {
  let plan = planStep(script, items, played);
  if (plan.kind === 'round_played') {
    played.clear();
    plan = planStep(script, items, played);
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

/** Rejects with the signal's reason at once when that aborts; leaves no timer and no listener. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    if (ms === 0) await setImmediate(undefined, { signal });
    else await setTimeout(ms, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}

function fillValues(items: readonly Item[], options: ScriptedOptions): FillValues {
  const input = items.findLast((item) => item.type === 'message' && item.role === 'user');
  const result = items.findLast((item) => item.type === 'tool_result');
  return {
    cwd: options.cwd,
    env: options.env,
    input: input?.type === 'message' ? messageText(input) : '',
    lastResult: result?.type === 'tool_result' ? (result.content ?? result.summary) : '',
  };
}

/** Past all calls of the history, also those that a compaction kept of longer ones. */
function nextCallNumber(items: readonly Item[]): number {
  let highest = 0;
  for (const item of items) {
    const number =
      item.type === 'tool_call' ? /^call_(\d+)_\d+$/.exec(item.callId)?.[1] : undefined;
    if (number !== undefined) highest = Math.max(highest, Number(number));
  }
  return highest + 1;
}

function reckonUsage(step: ScriptStep, request: ModelRequest, answer: Answer): Usage {
  const items = request.items.reduce((sum, item) => sum + itemBytes(item), 0);
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
