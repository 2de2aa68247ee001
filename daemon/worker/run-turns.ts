import type { Numbered } from '../../protocol/events.ts';
import type { StopReason, Usage } from '../../protocol/report.ts';
import type { SessionEntry } from '../core/entry.ts';
import { Fault } from '../core/fault.ts';
import type { RunId } from '../core/ids.ts';
import { addUsage } from '../core/usage.ts';
import { ignore } from '../support/deferred.ts';
import { askModel } from './ask-model.ts';
import { historyEvent } from './history-event.ts';
import { planContext } from './plan-context.ts';
import type { CallResult } from './run-calls.ts';
import { runCalls } from './run-calls.ts';
import { isTooLong } from './too-long.ts';
import { SYNCED, type Unsynced } from './unsynced.ts';
import type { WorkerPorts } from './worker-ports.ts';

/** What a run came to, told by what was stored of it. */
export type Tally = { readonly turns: number; readonly usage: Usage };

export type RunEnd = { readonly tally: Tally } & (
  | { readonly kind: 'finished'; readonly stopReason: StopReason }
  | { readonly kind: 'limitReached' }
  | { readonly kind: 'paused' }
  /** It goes on when its context is smaller. */
  | { readonly kind: 'yielded'; readonly why: 'context' }
  /** So it does for a prompt that the provider refused with these words. */
  | { readonly kind: 'yielded'; readonly why: 'tooLong'; readonly says: string }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'failed'; readonly fault: Fault }
);

type Counted = { turns: number; usage: Usage };

/**
 * One run, or the part of it up to a yield: turns until the model asks for no tool. Commits before it acts, so a crash never loses a call. A Fault and
 * an abort are ends like any other; only a bug is thrown.
 */
export async function runTurns(
  ports: WorkerPorts,
  run: { readonly id: RunId; readonly turnsMax: number | null; readonly tally: Tally },
  signal: AbortSignal,
): Promise<RunEnd> {
  const tally: Counted = { ...run.tally };
  let unsynced = SYNCED;
  try {
    for (;;) {
      signal.throwIfAborted();
      const isAtLimit = run.turnsMax !== null && tally.turns >= run.turnsMax;
      if (isAtLimit || ports.isPauseAsked()) {
        await unsynced.durable;
        return { kind: isAtLimit ? 'limitReached' : 'paused', tally };
      }
      const plan = await planContext(ports, unsynced);
      if (plan.kind === 'yield') return { kind: 'yielded', why: 'context', tally };
      ({ unsynced } = plan);
      tally.turns += 1;
      const stopReason = await runTurn(ports, run.id, tally, unsynced, signal);
      if (stopReason.kind === 'finished') return { ...stopReason, tally };
      unsynced = stopReason.unsynced;
    }
  } catch (error) {
    // A result that could not be stored outweighs the cancel that came upon it.
    const lost = await unsynced.durable.then(
      () => null,
      (reason: unknown) => reason,
    );
    const cause = lost ?? error;
    const stored = !(cause instanceof Fault && cause.code === 'storage_error');
    // An adapter may tell the end of its connection before it looks at the signal.
    if (signal.aborted && stored && (cause === signal.reason || cause instanceof Fault))
      return { kind: 'cancelled', tally };
    if (!(cause instanceof Fault)) throw cause;
    if (isTooLong(cause) && ports.context.mayYieldTooLong()) {
      // It is to be sent again: the same turn.
      const before = { ...tally, turns: tally.turns - 1 };
      return { kind: 'yielded', why: 'tooLong', says: cause.message, tally: before };
    }
    return { kind: 'failed', fault: cause, tally };
  }
}

async function runTurn(
  ports: WorkerPorts,
  runId: RunId,
  tally: Counted,
  unsynced: Unsynced,
  signal: AbortSignal,
): Promise<
  | { readonly kind: 'finished'; readonly stopReason: StopReason }
  | { readonly kind: 'called'; readonly unsynced: Unsynced }
> {
  const { journal } = ports;
  const turn = tally.turns;
  ports.turnBegan(turn);
  ignore(
    journal.commit({ events: [{ event: 'turn_start', data: { runId, turn } }] }),
    'an event alone touches no disk',
  );
  const ends = (stopReason: StopReason): { entry: SessionEntry; event: Numbered } => ({
    entry: {
      kind: 'turn_end',
      at: ports.clock.now(),
      runId,
      turnCount: journal.session().turnCount + 1,
      stopReason,
    },
    event: { event: 'turn_end', data: { runId, turn, stopReason } },
  });
  const answer = await askModel(
    ports,
    unsynced,
    {
      // An answer with calls ends its turn with their results.
      end: ({ calls, stopReason }) => {
        if (calls.length > 0) return { entries: [], events: [] };
        const { entry, event } = ends(stopReason);
        return { entries: [entry], events: [event] };
      },
      paid: (usage) => {
        tally.usage = addUsage(tally.usage, usage);
      },
    },
    signal,
  );
  if (answer.calls.length === 0) return { kind: 'finished', stopReason: answer.stopReason };

  await ports.moved({ kind: 'answerHadCalls' });
  const results = await runCalls(ports, answer, signal);
  const items = results.map(({ item }) => item);
  const { entry, event } = ends(answer.stopReason);
  const durable = journal.commit({
    session: [{ kind: 'tool_results', at: ports.clock.now(), items }, entry],
    events: [...resultEvents(results), historyEvent(journal.session(), items), event],
  });
  ignore(durable, 'whoever uses what rests on it waits for it');
  // Not awaited: it is told after the results, and the next request need not wait for the disk.
  ignore(ports.moved({ kind: 'resultsCommitted' }), 'an event alone touches no disk');
  return { kind: 'called', unsynced: { items, durable } };
}

function resultEvents(results: readonly CallResult[]): Numbered[] {
  return results.flatMap(({ item, name, truncated }): Numbered[] => {
    const { callId, summary, content, isError } = item;
    const result: Numbered = {
      event: 'tool_result',
      data: {
        callId,
        name,
        summary,
        ...(content === undefined ? {} : { content }),
        isError: isError === true,
        ...(truncated ? { truncated } : {}),
      },
    };
    if (!truncated) return [result];
    const message = `the output of ${name} (${callId}) was cut`;
    return [result, { event: 'notification', data: { level: 'warn', source: 'worker', message } }];
  });
}
