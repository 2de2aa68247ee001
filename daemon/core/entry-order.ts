import type { Item } from '../../protocol/items.ts';
import { invariant } from './assert.ts';
import type { SessionEntry } from './entry.ts';
import type { RunId, SessionId } from './ids.ts';
import type { SessionState } from './session-state.ts';

/**
 * Says whether entries fit a session, before they are stored: once on disk, an entry that its projection refuses
 * would make the session unreadable for good. It throws where `SessionProjection` would (a property test compares them),
 * and keeps only what that needs, so that it can look ahead over entries that wait for the disk.
 */
export class EntryOrder {
  readonly #sessionId: SessionId;
  readonly #openCalls: Set<string>;
  #begun: boolean;
  #openRun: RunId | null;

  constructor(
    session: Pick<SessionState, 'sessionId' | 'begun' | 'openRun'>,
    calls: Iterable<string>,
  ) {
    this.#sessionId = session.sessionId;
    this.#openCalls = new Set(calls);
    this.#begun = session.begun;
    this.#openRun = session.openRun;
  }

  static after(session: SessionState): EntryOrder {
    return new EntryOrder(session, session.openCalls.keys());
  }

  /** A copy, for entries that may turn out not to fit. */
  fork(): EntryOrder {
    const { sessionId, begun, openRun } = {
      sessionId: this.#sessionId,
      begun: this.#begun,
      openRun: this.#openRun,
    };
    return new EntryOrder({ sessionId, begun, openRun }, this.#openCalls);
  }

  take(entry: SessionEntry): void {
    if (entry.kind === 'session_start') {
      invariant(!this.#begun, 'a second session_start');
      invariant(entry.sessionId === this.#sessionId, 'session_start of another session');
      this.#begun = true;
      this.#add(entry.history);
      return;
    }
    invariant(this.#begun, `${entry.kind} before session_start`);
    if (entry.kind === 'run_start') {
      invariant(this.#openRun === null, `run ${entry.runId} began while another is open`);
      this.#openRun = entry.runId;
    } else if (entry.kind === 'run_outcome') {
      invariant(this.#openRun === entry.runId, `run ${entry.runId} ended, it was not open`);
      this.#openRun = null;
    } else if (entry.kind === 'call_started') {
      invariant(
        this.#openCalls.has(entry.callId),
        `call_started of ${entry.callId}, which is not open`,
      );
    } else if (entry.kind === 'user_input') {
      this.#add([entry.item]);
    } else if ('items' in entry) {
      this.#add(entry.items);
    }
  }

  #add(items: readonly Item[]): void {
    for (const item of items) {
      if (item.type === 'tool_call') {
        invariant(!this.#openCalls.has(item.callId), `call ${item.callId} came twice`);
        this.#openCalls.add(item.callId);
      } else if (item.type === 'tool_result') {
        invariant(this.#openCalls.delete(item.callId), `a result for ${item.callId}, not open`);
      }
    }
  }
}
