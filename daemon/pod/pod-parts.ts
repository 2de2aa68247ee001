import type { Delta } from '../../protocol/events.ts';
import type { SessionConfig } from '../core/entry.ts';
import type { CompactionSettings } from '../core/compaction-settings.ts';
import type { CompactorPorts } from '../compaction/compaction-job.ts';
import type { RunId, SessionId } from '../core/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { Files } from '../ports/files.ts';
import type { Journal } from '../ports/journal.ts';
import type { Log } from '../ports/log.ts';
import type { Model } from '../ports/model.ts';
import type { ScopeView } from '../ports/scope-view.ts';
import type { Spool } from '../ports/spool.ts';
import type { ToolBox, WorkerPorts } from '../worker/worker-ports.ts';

/** Everything that a Pod is built from. `app` joins it; tests put fakes of the ports here. */
export type PodParts = {
  readonly name: string;
  readonly version: string;
  readonly epoch: number;
  /** Where the registry lies, when it was moved. */
  readonly registry?: string;
  readonly cwd: string;
  readonly journal: Journal;
  readonly model: Model;
  readonly files: Files;
  readonly spool: Spool;
  readonly scope: ScopeView;
  readonly retries: WorkerPorts['retries'];
  readonly tools: () => Promise<ToolBox>;
  readonly config: SessionConfig;
  readonly compaction: Pick<CompactorPorts, 'retries' | 'toToolBox' | 'readTool'> & {
    readonly settings: CompactionSettings;
    /** The compactor's own; null: the Pod's. */
    readonly model: Model | null;
  };
  /** For a session that has no prompt yet. A failure is a Fault `prompt_error`. */
  readonly renderSystemPrompt: (signal: AbortSignal) => Promise<string>;
  readonly newRunId: () => RunId;
  readonly newSessionId: () => SessionId;
  readonly newNoteId: () => string;
  /** How notes reach the model. */
  readonly notifications: 'history' | 'transient';
  readonly showDelta: (delta: Delta) => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly process: {
    readonly pid: number;
    readonly rssBytes: () => number;
    readonly uptimeMs: () => number;
  };
};
