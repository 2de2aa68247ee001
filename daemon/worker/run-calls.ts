import type { ToolCallItem } from '../../protocol/items.ts';
import type { StopReason } from '../../protocol/report.ts';
import { parseCallArguments } from '../core/call-arguments.ts';
import { Cancelled } from '../core/cancel.ts';
import { Fault } from '../core/fault.ts';
import { LIMITS } from '../core/limits.ts';
import type { CheckedCall, Passed } from '../ports/gate.ts';
import type { Tool, ToolOutcome } from '../ports/tool.ts';
import { waitOrAbandon } from '../support/abandon.ts';
import { Semaphore } from '../support/semaphore.ts';
import { withDeadline } from '../support/with-deadline.ts';
import type { Answer } from './ask-model.ts';
import type { CallResult } from './to-result.ts';
import { toResult } from './to-result.ts';
import { trackCall } from './track-call.ts';
import type { WorkerPorts } from './worker-ports.ts';

export type { CallResult } from './to-result.ts';

/** What stands between a call and its tool: an answer at once, or the way is free. */
type Prepared =
  | { readonly kind: 'immediate'; readonly outcome: ToolOutcome }
  | {
      readonly kind: 'ready';
      readonly tool: Tool;
      readonly call: Passed<CheckedCall>;
      /** Names of the files it touches: calls that share one take turns. */
      readonly turns: readonly string[];
    };

/**
 * All calls of one answer: checked, then gated, then run side by side; results come in call order, one for each, also
 * when the signal aborts midway. Throws only when an intent can't be stored.
 */
export async function runCalls(
  ports: WorkerPorts,
  { calls, cutCall, stopReason }: Pick<Answer, 'calls' | 'cutCall' | 'stopReason'>,
  signal: AbortSignal,
): Promise<CallResult[]> {
  const prepared: Prepared[] = [];
  for (const [index, call] of calls.entries())
    prepared.push(
      call.callId === cutCall
        ? { kind: 'immediate', outcome: { isError: true, summary: sayCut(stopReason) } }
        : await prepareInTime(ports, call, index, signal),
    );
  const places = new Semaphore(LIMITS.callsAtOnce);
  const queues = new Map<string, Promise<unknown>>();
  const written = new Map<string, string>();
  const settled = await Promise.allSettled(
    calls.map(async (call, index) => {
      const ready = prepared[index];
      if (ready?.kind !== 'ready')
        return await toResult(ports, call, ready?.outcome ?? NOT_RUN, signal);
      const before = Promise.all(ready.turns.map((name) => queues.get(name) ?? NOTHING));
      // What is kept of it is written in its place, too: that may hang as any file.
      const work = async (): Promise<CallResult> =>
        await toResult(ports, call, await runOne(ports, ready, written, signal), signal);
      const mine = before.then(() => places.use(work));
      const over = mine.catch(() => undefined);
      for (const name of ready.turns) queues.set(name, over);
      return await mine;
    }),
  );
  return settled.map((one) => {
    if (one.status === 'rejected') throw one.reason;
    return one.value;
  });
}

/**
 * Hashes of what earlier calls of the same answer wrote, by path. The tracker learns of them when the results are
 * committed; a second edit of the file comes before that. What they read is left out: the model has not seen it yet.
 */
type Written = Map<string, string>;

const NOTHING = Promise.resolve();

function sayCut(stopReason: StopReason): string {
  return stopReason === 'max_tokens'
    ? 'not run: the answer reached its limit of tokens in the middle of this call; say it in fewer words, or in several calls'
    : `not run: the answer was ended in the middle of this call (${stopReason})`;
}

const NOT_RUN: ToolOutcome = { isError: true, summary: 'cancelled before it ran' };

// Finding out what a path names is work on files too, and may hang as any.
async function prepareInTime(
  ports: WorkerPorts,
  call: ToolCallItem,
  index: number,
  signal: AbortSignal,
): Promise<Prepared> {
  if (signal.aborted) return { kind: 'immediate', outcome: NOT_RUN };
  const limit = { what: call.name, ms: LIMITS.toolMs };
  try {
    return await withDeadline(signal, limit, async (within) => {
      const work = trackCall(ports, call, prepare(ports, call, index, within));
      return await waitOrAbandon(work, within, LIMITS.toolAbortMs);
    });
  } catch (error) {
    return { kind: 'immediate', outcome: toFailure(ports, call, error) };
  }
}

async function prepare(
  ports: WorkerPorts,
  call: ToolCallItem,
  index: number,
  signal: AbortSignal,
): Promise<Prepared> {
  const refused = (summary: string): Prepared => ({
    kind: 'immediate',
    outcome: { isError: true, summary },
  });
  if (index >= LIMITS.callsPerTurn)
    return refused(`not run: one answer may have ${LIMITS.callsPerTurn} calls`);
  const tool = ports.tools.find(call.name);
  if (tool === undefined) {
    const names = ports.tools.definitions.map(({ name }) => name).join(', ');
    return refused(`there is no tool ${call.name.slice(0, 100)}; there are: ${names}`);
  }
  const args = parseCallArguments(tool.schema, call.arguments);
  if (!args.ok) return refused(args.error);
  const accesses = tool.accesses(args.value);
  const { callId, name } = call;
  const answer = await ports.gate.call({ callId, name, args: args.value, accesses }, signal);
  if (answer.kind === 'denied') return refused(answer.reason);
  const turns = await Promise.all(accesses.map(({ path }) => ports.files.identify(path)));
  return { kind: 'ready', tool, call: answer.passed, turns: [...new Set(turns)] };
}

async function runOne(
  ports: WorkerPorts,
  { tool, call }: Extract<Prepared, { kind: 'ready' }>,
  written: Written,
  signal: AbortSignal,
): Promise<ToolOutcome> {
  if (signal.aborted) return NOT_RUN;
  const limit = { what: tool.name, ms: LIMITS.toolMs };
  const intents: Intents = { failure: null };
  try {
    return await withDeadline(signal, limit, async (within) => {
      const work = trackCall(ports, call, runTool(ports, { tool, call, written, intents }, within));
      return await waitOrAbandon(work, within, LIMITS.toolAbortMs);
    });
  } catch (error) {
    // Only a log that can't be written ends the run; trouble with a user's file is told to the model.
    if (intents.failure !== null) throw intents.failure;
    return toFailure(ports, call, error);
  }
}

function toFailure(
  ports: WorkerPorts,
  { name, callId }: { readonly name: string; readonly callId: string },
  error: unknown,
): ToolOutcome {
  if (error instanceof Cancelled)
    return {
      isError: true,
      summary:
        error.why.kind === 'deadline'
          ? `${error.message}; it was ended, outcome unknown`
          : 'cancelled; outcome unknown',
    };
  if (error instanceof Fault) return { isError: true, summary: `${name} failed: ${error.message}` };
  ports.log.error('a tool threw', { tool: name, callId, err: error });
  return { isError: true, summary: `${name} failed for a reason of its own; see the log` };
}

/** Why an intent could not be stored, if that happened. */
type Intents = { failure: Error | null };

async function runTool(
  ports: WorkerPorts,
  {
    tool,
    call,
    written,
    intents,
  }: {
    readonly tool: Tool;
    readonly call: Passed<CheckedCall>;
    readonly written: Written;
    readonly intents: Intents;
  },
  signal: AbortSignal,
): Promise<ToolOutcome> {
  const { callId } = call;
  const outcome = await tool.run(
    call.args,
    {
      files: ports.files,
      knownHash: (path) => written.get(path) ?? ports.journal.session().tracker.hashOf(path),
      intend: async (intent) => {
        const at = ports.clock.now();
        try {
          await ports.journal.commit({ session: [{ kind: 'call_started', at, callId, intent }] });
        } catch (error) {
          intents.failure = error instanceof Error ? error : new Fault('internal', String(error));
          throw error;
        }
        // The disk may have taken its time: nothing is begun that was cancelled meanwhile.
        signal.throwIfAborted();
      },
    },
    signal,
  );
  for (const { path, hash, op } of outcome.files ?? []) if (op === 'write') written.set(path, hash);
  return outcome;
}
