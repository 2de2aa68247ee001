import { randomBytes } from 'node:crypto';
import type { SessionEntry } from '../../daemon/core/entry.ts';
import { sessionId } from '../../daemon/core/ids.ts';
import type { Journal } from '../../daemon/ports/journal.ts';
import { startJournal } from '../../daemon/session/open-journal.ts';
import type { KeyValueStore } from '../../daemon/session/store.ts';
import { AT, input, RUN, runEnd, runStart } from './session-entries.ts';
import { firstBatch, journalOptions } from './temp-journal.ts';

export const MIB = 1024 * 1024;

/** Text of so many bytes that no compression makes smaller by much. */
export function noise(bytes: number): string {
  return randomBytes(Math.ceil((bytes * 3) / 4))
    .toString('base64')
    .slice(0, bytes);
}

export type EndedSessions = { readonly count: number; readonly bytesEach: number };

/** Puts sessions into `store` that began, took one input and ended; the pointer is at the last of them. */
export async function addEndedSessions(
  store: KeyValueStore,
  { count, bytesEach }: EndedSessions,
): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    const id = sessionId(`ended-${String(n).padStart(4, '0')}`);
    const options = journalOptions({ session: { kind: 'new' }, newSessionId: () => id });
    // The journal is left as it is: closing it would close the store.
    const { journal } = await startJournal(store, options);
    const first = firstBatch([], id);
    const session = [...(first.session ?? []), input(noise(bytesEach)), runEnd()];
    await journal.commit({ ...first, session });
  }
}

/** Begins the session that is live from now on, and leaves it idle. */
export async function addLiveSession(
  store: KeyValueStore,
  more: (journal: Journal) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const id = sessionId('live');
  const options = journalOptions({ session: { kind: 'new' }, newSessionId: () => id });
  const { journal } = await startJournal(store, options);
  const first = firstBatch([], id);
  await journal.commit({ ...first, session: [...(first.session ?? []), runEnd()] });
  await more(journal);
}

/** Runs with turns that leave nothing in the context: their records alone. */
export async function commitBookkeeping(journal: Journal, turns: number): Promise<void> {
  const turn: readonly SessionEntry[] = [
    {
      kind: 'llm_usage',
      at: AT,
      record: { inputTotal: 9, cacheRead: 0, cacheWrite: 0, output: 5, historyLen: 1, kind: 'run' },
    },
    { kind: 'turn_end', at: AT, runId: RUN, turnCount: 1, stopReason: 'end' },
  ];
  const GROUP = 1_000;
  for (let done = 0; done < turns; done += GROUP)
    await journal.commit({
      session: [runStart(), ...Array.from({ length: GROUP }, () => turn).flat(), runEnd()],
    });
}
