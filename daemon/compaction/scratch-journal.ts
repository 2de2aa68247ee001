import type { Item } from '../../protocol/items.ts';
import { type SessionEntry, STORE_FORMAT } from '../core/entry.ts';
import { runId, sessionId } from '../core/ids.ts';
import { EMPTY_JOURNAL } from '../core/journal-state.ts';
import { SessionProjection, type SessionState } from '../core/session-state.ts';
import type { Batch } from '../ports/journal.ts';
import type { WorkerPorts } from '../worker/worker-ports.ts';
import type { Paid } from './compaction-job.ts';

/** The run that a throw-away conversation is. */
export const SCRATCH_RUN = runId('compactor');

/** A conversation that is kept nowhere: the Worker talks to it as to the Pod's journal. Only what it costs is told. */
export class ScratchJournal
  implements Pick<WorkerPorts['journal'], 'commit' | 'session' | 'state'>
{
  readonly #session = new SessionProjection(sessionId('compactor'));
  readonly #paid: Paid;

  constructor(
    start: {
      readonly systemPrompt: string;
      readonly history: readonly Item[];
      readonly at: number;
    },
    paid: Paid,
  ) {
    const { systemPrompt, history, at } = start;
    this.#paid = paid;
    this.#session.apply({
      kind: 'session_start',
      at,
      version: STORE_FORMAT,
      sessionId: this.#session.sessionId,
      systemPrompt,
      config: {
        provider: { kind: '', model: '' },
        tools: [],
        maxTurns: null,
        scope: { allow: [], deny: [] },
      },
      history,
      files: [],
      turnCount: 0,
    });
  }

  session(): SessionState {
    return this.#session;
  }

  state(): typeof EMPTY_JOURNAL {
    return EMPTY_JOURNAL;
  }

  /** What the model is told next. */
  say(text: string, at: number): void {
    const item: Item = { type: 'message', role: 'user', content: [{ type: 'text', text }] };
    this.#session.apply({ kind: 'user_input', at, item });
  }

  async commit({ session = [] }: Batch): Promise<void> {
    for (const entry of session) this.#session.apply(entry);
    for (const entry of session) if (isUsage(entry)) await this.#paid(entry.record);
  }
}

function isUsage(entry: SessionEntry): entry is Extract<SessionEntry, { kind: 'llm_usage' }> {
  return entry.kind === 'llm_usage';
}
