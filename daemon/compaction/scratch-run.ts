import { CheckedItems } from '../core/checked-items.ts';
import { PrunedItems } from '../core/pruned-items.ts';
import type { Estimate } from '../core/tokens.ts';
import { NO_USAGE } from '../core/usage.ts';
import { refuse } from '../core/result.ts';
import type { Spool } from '../ports/spool.ts';
import type { Model, ModelRequest } from '../ports/model.ts';
import { shapeFor } from '../worker/request-shape.ts';
import { type RunEnd, runTurns } from '../worker/run-turns.ts';
import type { ToolBox } from '../worker/worker-ports.ts';
import type { CompactorPorts } from './compaction-job.ts';
import { SCRATCH_RUN, type ScratchJournal } from './scratch-journal.ts';

/** What the compactor reads is kept where it came from. */
const NO_SPOOL: Spool = { keep: () => Promise.resolve(refuse('nothing of the compactor is')) };

export type ScratchRules = {
  readonly model: Model;
  readonly tools: ToolBox;
  readonly sampling?: ModelRequest['sampling'];
  /** Asked before each request. */
  readonly check: (occupancy: Estimate) => 'send' | 'yield';
  /** The conversation has come to what it is for. */
  readonly isDone: () => boolean;
};

/** A throw-away conversation goes on, for so many requests at most. Nobody sees it, and nothing of it is stored. */
export async function runScratch(
  ports: CompactorPorts,
  journal: ScratchJournal,
  rules: ScratchRules,
  turnsMax: number,
  signal: AbortSignal,
): Promise<RunEnd> {
  const { gate, files, retries, clock, log, activity } = ports;
  const { model, tools, sampling, check, isDone } = rules;
  const shape = shapeFor(model);
  let block = 0;
  return await runTurns(
    {
      model,
      journal,
      notifications: 'history',
      context: {
        prune: null,
        pruned: new PrunedItems(),
        check,
        mayYieldTooLong: () => false,
        ...(sampling === undefined ? {} : { sampling }),
      },
      gate,
      tools,
      spool: NO_SPOOL,
      files,
      retries,
      clock,
      log,
      activity,
      checks: { built: new CheckedItems(shape), sent: new CheckedItems(shape) },
      showDelta: () => undefined,
      nextBlock: () => {
        block += 1;
        return block;
      },
      moved: () => Promise.resolve(),
      turnBegan: () => undefined,
      isPauseAsked: isDone,
    },
    { id: SCRATCH_RUN, turnsMax, tally: { turns: 0, usage: NO_USAGE } },
    signal,
  );
}
