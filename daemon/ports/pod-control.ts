import type { Params, Reply } from '../../protocol/methods.ts';
import type { StateName, Phase } from '../../protocol/state.ts';
import type { Status } from '../../protocol/status.ts';

type HistoryPage = Omit<Reply<'GetHistory'>, 'epoch' | 'seq'>;

export type RunView = { readonly id: string; readonly startedAt: number; readonly turn: number };

/**
 * The Pod as the socket sees it. Commands go into its inbox and answer when they are done; reads take no place in
 * it and answer from the state of that moment. Failures are `Fault`s.
 */
export type PodControl = {
  readonly run: (params: Params<'Run'>) => Promise<Reply<'Run'>>;
  readonly resume: (params: Params<'Resume'>) => Promise<Reply<'Resume'>>;
  readonly notify: (params: Params<'Notify'>) => Promise<Reply<'Notify'>>;
  readonly pause: () => Promise<Reply<'Pause'>>;
  readonly cancel: (params?: Params<'Cancel'>) => Promise<Reply<'Cancel'>>;
  /** Resolves when the Pod has stopped working and recorded it; the socket closes after that. */
  readonly shutdown: (params: Params<'Shutdown'>) => Promise<void>;
  /** Resolves when the Pod goes on with the new session. */
  readonly compact: (params: Params<'Compact'>) => Promise<Reply<'Compact'>>;
  /** Reads the log: of the live session, or of an older one. */
  readonly usage: (params: Params<'GetUsage'>) => Promise<Reply<'GetUsage'>>;
  readonly status: () => Omit<Status, 'connections'>;
  /** At once for the live session; an older one is read from the disk. */
  readonly history: (params: Params<'GetHistory'>) => HistoryPage | Promise<HistoryPage>;
  readonly view: () => { state: StateName; phase?: Phase; run?: RunView };
};
