import { Cancelled } from '../core/cancel.ts';
import type { CheckedItems } from '../core/checked-items.ts';
import { Fault } from '../core/fault.ts';
import { LIMITS } from '../core/limits.ts';
import type { Progress } from '../core/pod-state.ts';
import { withDeadline } from '../support/with-deadline.ts';
import type { RunEnd } from '../worker/run-turns.ts';
import { runTurns } from '../worker/run-turns.ts';
import { createGate } from './gate.ts';
import { compact } from '../compaction/compact.ts';
import type { CompactionEnd, CompactionJob } from '../compaction/compaction-job.ts';
import type { ContextRules } from '../worker/worker-ports.ts';
import type { OpenCompaction } from './open-compaction.ts';
import type { OpenRun } from './open-run.ts';
import type { Prepared } from './pod-events.ts';
import type { PodParts } from './pod-parts.ts';

/** What a run needs before its input is stored: a prompt, if its session has none yet. Never rejects. */
export async function prepareRun(parts: PodParts, run: OpenRun): Promise<Prepared> {
  const limit = { what: 'preparing the run', ms: LIMITS.prepareMs };
  try {
    const systemPrompt = await withDeadline(run.signal, limit, async (within) => {
      if (parts.journal.session().begun) return null;
      return await parts.renderSystemPrompt(within);
    });
    return { kind: 'ready', systemPrompt };
  } catch (error) {
    const late = error instanceof Cancelled && !run.signal.aborted;
    return {
      kind: 'failed',
      error: late ? new Fault('prompt_error', error.message, { cause: error }) : error,
    };
  }
}

/** What of the Pod itself a Worker may use. */
export type PodHooks = {
  readonly checks: { readonly built: CheckedItems; readonly sent: CheckedItems };
  readonly context: ContextRules;
  readonly nextBlock: () => number;
  readonly moved: (progress: Progress) => Promise<void>;
};

/** Runs the Worker to its end. Rejects with a bug only. */
export async function runWorker(parts: PodParts, run: OpenRun, hooks: PodHooks): Promise<RunEnd> {
  const { model, journal, retries, files, scope, clock, log, showDelta, config } = parts;
  const { notifications, spool } = parts;
  return await runTurns(
    {
      model,
      journal,
      retries,
      files,
      spool,
      clock,
      log,
      showDelta,
      notifications,
      ...hooks,
      gate: createGate(scope, files),
      tools: await parts.tools(),
      activity: run.activity,
      isPauseAsked: () => run.isPauseAsked,
      turnBegan: (turn) => {
        run.turn = turn;
      },
    },
    { id: run.id, turnsMax: config.maxTurns, tally: run.tally },
    run.signal,
  );
}

/** Runs the compactor to its end. Rejects with a bug only. */
export async function runCompactor(
  parts: PodParts,
  { signal, quiet }: OpenCompaction,
  job: CompactionJob,
): Promise<CompactionEnd> {
  const { model, journal, files, scope, clock, log } = parts;
  const { model: compactorModel, retries, toToolBox, readTool } = parts.compaction;
  const { activity } = quiet;
  const gate = createGate(scope, files);
  const tools = await parts.tools();
  return await compact(
    {
      model,
      compactorModel,
      journal,
      retries,
      files,
      clock,
      log,
      activity,
      gate,
      tools,
      toToolBox,
      readTool,
    },
    job,
    async (record) => {
      const at = clock.now();
      const paid = { ...record, kind: 'compactor' as const };
      await journal.commit({ session: [{ kind: 'llm_usage', at, record: paid }] });
    },
    signal,
  );
}
