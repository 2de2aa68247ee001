import type { Delta } from '../../protocol/events.ts';
import type { Activity } from '../core/activity.ts';
import type { CheckedItems } from '../core/checked-items.ts';
import type { PruneSettings } from '../core/compaction-settings.ts';
import type { Progress } from '../core/pod-state.ts';
import type { PrunedItems } from '../core/pruned-items.ts';
import type { Estimate } from '../core/tokens.ts';
import type { Clock } from '../ports/clock.ts';
import type { Files } from '../ports/files.ts';
import type { Gate } from '../ports/gate.ts';
import type { Journal } from '../ports/journal.ts';
import type { Log } from '../ports/log.ts';
import type { Model, ModelRequest, ToolDefinition } from '../ports/model.ts';
import type { Spool } from '../ports/spool.ts';
import type { Tool } from '../ports/tool.ts';

/** The tools of a Pod. `definitions` are sorted by name: the order is part of the cached prefix. */
export type ToolBox = {
  readonly definitions: readonly ToolDefinition[];
  readonly find: (name: string) => Tool | undefined;
  readonly contentBytesMax: (name: string) => number;
};

/** How a run keeps its context small. It says when to stop for it; what is done then is not the loop's. */
export type ContextRules = {
  readonly prune: PruneSettings | null;
  readonly pruned: PrunedItems;
  /** Asked before each request: `yield` ends this part of the run. It throws a Fault where the run can't go on. */
  readonly check: (occupancy: Estimate) => 'send' | 'yield';
  /** Whether the run yields for a prompt that the provider calls too long. */
  readonly mayYieldTooLong: () => boolean;
  /** Other than the manifest's. */
  readonly sampling?: ModelRequest['sampling'];
};

/** All that the loop can reach. It knows no socket, no store and no compaction. */
export type WorkerPorts = {
  readonly model: Model;
  readonly journal: Pick<Journal, 'commit' | 'session' | 'state'>;
  /** How notes reach the model: as items of the history, or with the next request alone. */
  readonly notifications: 'history' | 'transient';
  readonly context: ContextRules;
  readonly gate: Gate;
  readonly tools: ToolBox;
  readonly files: Files;
  readonly spool: Spool;
  /** How often a request that failed is sent again; `random` is from 0 to below 1. */
  readonly retries: { readonly max: number; readonly random: () => number };
  readonly clock: Clock;
  readonly log: Log;
  readonly activity: Activity;
  /** What was seen of the history by the builder and by the check, so that each looks at an item once. */
  readonly checks: { readonly built: CheckedItems; readonly sent: CheckedItems };
  /** Shows a piece of the answer at once; it is provisional. */
  readonly showDelta: (delta: Delta) => void;
  /** A number for a block; none is given twice in an epoch. */
  readonly nextBlock: () => number;
  /** Moves the Pod's phase; resolves when subscribers were told. */
  readonly moved: (progress: Progress) => Promise<void>;
  readonly turnBegan: (turn: number) => void;
  /** Somebody wants the run to stop between two requests. */
  readonly isPauseAsked: () => boolean;
};
