import type { Item } from '../../protocol/items.ts';
import type { CompactionSettings } from '../core/compaction-settings.ts';
import type { Calibration, UsageRecord } from '../core/entry.ts';
import type { Fault } from '../core/fault.ts';
import type { SessionState } from '../core/session-state.ts';
import type { Model } from '../ports/model.ts';
import type { Tool } from '../ports/tool.ts';
import type { ToolBox, WorkerPorts } from '../worker/worker-ports.ts';

/** What is to be compacted. Nothing but usage records is appended to the session meanwhile. */
export type CompactionJob = {
  readonly session: SessionState;
  /** Items before it are summarised; above 0. */
  readonly cut: number;
  /** A run is open in it, or may be taken up again. */
  readonly isRunToGoOn: boolean;
  /** What the result has to stay under, in tokens; null when none triggered it. */
  readonly threshold: number | null;
  /** The user's own, for whoever writes the summary. */
  readonly instructions: string | null;
  readonly settings: CompactionSettings;
  /** Names of the Pod's live children. */
  readonly children: readonly string[];
};

/** A history that may take the place of the session's. */
export type NewHistory = {
  readonly items: readonly Item[];
  readonly pruneMark: number;
  readonly calibration: Calibration;
  readonly tokensAfter: number;
  /** Old directives of the user that had no room. */
  readonly directivesDropped: number;
};

export type CompactionCause =
  | 'summary_missing'
  | 'nothing_to_compact'
  | 'not_smaller'
  | 'invalid'
  | 'provider'
  | 'storage'
  | 'cancelled'
  | 'deadline'
  | 'input_cap';

export type CompactionEnd =
  | { readonly kind: 'done'; readonly history: NewHistory }
  | {
      readonly kind: 'failed';
      readonly cause: CompactionCause;
      readonly says: string;
      /** Its own prompt was too long for its model. */
      readonly isTooLong?: true;
    }
  /** A failure with a code of its own, such as a budget's. */
  | { readonly kind: 'refused'; readonly fault: Fault }
  | { readonly kind: 'cancelled' };

export type CompactorPorts = Pick<
  WorkerPorts,
  'gate' | 'files' | 'retries' | 'clock' | 'log' | 'activity' | 'journal'
> & {
  /** The Pod's own, for which the new history is. */
  readonly model: Model;
  /** The compactor's, where it has one of its own. */
  readonly compactorModel: Model | null;
  /** The Pod's own, as its requests have them. */
  readonly tools: ToolBox;
  readonly toToolBox: (tools: readonly Tool[]) => Promise<ToolBox>;
  /** Shows a file to a model. */
  readonly readTool: Tool;
};

/** Told of each request of the compactor, which is paid for whatever comes of it. */
export type Paid = (record: UsageRecord) => Promise<void>;
