import type { Numbered } from '../../protocol/events.ts';
import type { Item } from '../../protocol/items.ts';
import type { SessionState } from '../core/session-state.ts';

/** Tells items that are about to be committed behind what the session holds now. */
export function historyEvent(session: SessionState, items: readonly Item[]): Numbered {
  const data = { sessionId: session.sessionId, from: session.items.length, items: [...items] };
  return { event: 'history', data };
}
