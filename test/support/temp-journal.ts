import type { Numbered } from '../../protocol/events.ts';
import { sessionId, type SessionId } from '../../daemon/core/ids.ts';
import type { JournalEntry, SessionEntry } from '../../daemon/core/entry.ts';
import type { Batch } from '../../daemon/ports/journal.ts';
import type { Log } from '../../daemon/ports/log.ts';
import { startJournal, type OpenedJournal } from '../../daemon/session/open-journal.ts';
import type { StartJournalOptions } from '../../daemon/session/open-journal.ts';
import type { KeyValueStore } from '../../daemon/session/store.ts';
import { input, runStart, SESSION, sessionStart } from './session-entries.ts';

const nothing = (): void => undefined;

export const SILENT: Log = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  fatal: nothing,
};

/** Options whose clock stands still and whose new sessions are numbered. */
export function journalOptions(changes: Partial<StartJournalOptions> = {}): StartJournalOptions {
  let drawn = 0;
  return {
    session: { kind: 'latest' },
    newSessionId: (): SessionId => {
      drawn += 1;
      return drawn === 1 ? SESSION : sessionId(`session-${drawn}`);
    },
    epochAfter: (last) => Promise.resolve(last + 1),
    bootId: 'boot-1',
    clock: { now: () => 1_000 },
    publish: nothing,
    log: SILENT,
    ...changes,
  };
}

export type TempJournal = OpenedJournal['journal'] & {
  readonly restored: OpenedJournal['restored'];
  readonly published: readonly Numbered[];
};

/** A journal on `store`, with what it published. */
export async function tempJournal(
  store: KeyValueStore,
  changes: Partial<StartJournalOptions> = {},
): Promise<TempJournal> {
  const published: Numbered[] = [];
  const options = journalOptions({ publish: (events) => published.push(...events), ...changes });
  const { journal, restored } = await startJournal(store, options);
  return {
    commit: (batch) => journal.commit(batch),
    session: () => journal.session(),
    state: () => journal.state(),
    headHash: () => journal.headHash(),
    runEnd: (session, run, signal) => journal.runEnd(session, run, signal),
    usage: (page, signal) => journal.usage(page, signal),
    pastSession: (id, signal) => journal.pastSession(id, signal),
    size: () => journal.size(),
    committingSince: () => journal.committingSince(),
    [Symbol.asyncDispose]: async () => {
      await journal[Symbol.asyncDispose]();
    },
    restored,
    published,
  };
}

/** The batch that begins the session and its first run. */
export function firstBatch(events: readonly Numbered[] = [], id: SessionId = SESSION): Batch {
  const session: SessionEntry[] = [sessionStart(id), runStart(), input('go')];
  const journal: JournalEntry[] = [{ kind: 'session_current', at: 1_000, sessionId: id }];
  return { session, journal, events };
}

/** An event that tells its number apart. */
export function event(waiting: number): Numbered {
  return { event: 'queue', data: { waiting } };
}

export function numbers(events: readonly Numbered[]): number[] {
  return events.map((one) => (one.event === 'queue' ? one.data.waiting : -1));
}
