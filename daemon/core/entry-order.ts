import type { Item } from '../../protocol/items.ts';
import { invariant } from './assert.ts';
import type { SessionEntry } from './entry.ts';
import type { EntryHash, RunId, SessionId } from './ids.ts';
import type { SessionState } from './session-state.ts';

type SessionStart = Extract<SessionEntry, { readonly kind: 'session_start' }>;

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

  get sessionId(): SessionId {
    return this.#sessionId;
  }

  /**
   * For the session that is compacted or forked from this one; its `session_start` is taken next. `head` is this one's last
   * entry: what was made of an older state is refused.
   */
  successor(start: SessionStart, head: EntryHash | null): EntryOrder {
    const origin = start.compactedFrom ?? start.forkedFrom;
    invariant(
      origin?.sessionId === this.#sessionId && origin.atHash === head,
      `session ${start.sessionId} does not begin where session ${this.#sessionId} ends`,
    );
    const openRun = start.carried?.openRun ?? null;
    invariant(this.#openRun === openRun, 'an open run goes on in the next session');
    return new EntryOrder({ sessionId: start.sessionId, begun: false, openRun: null }, []);
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
      this.#openRun = entry.carried?.openRun ?? null;
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
    } else if (entry.kind === 'run_yielded') {
      invariant(this.#openRun === entry.runId, `run ${entry.runId} yielded, it was not open`);
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
