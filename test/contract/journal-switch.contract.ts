import { describe, expect, test } from 'vitest';
import type { CarriedOver, SessionEntry } from '../../daemon/core/entry.ts';
import { entryHash, type EntryHash, runId, sessionId } from '../../daemon/core/ids.ts';
import type { Batch } from '../../daemon/ports/journal.ts';
import { extendChain } from '../../daemon/core/entry-chain.ts';
import { encodeEntry } from '../../daemon/session/codec.ts';
import type { KeyValueStore } from '../../daemon/session/store.ts';
import { said, system, user } from '../support/items.ts';
import {
  answer,
  AT,
  input,
  RUN,
  runEnd,
  runStart,
  SESSION,
  sessionStart,
  usage,
} from '../support/session-entries.ts';
import {
  event,
  firstBatch,
  numbers,
  type TempJournal,
  tempJournal,
} from '../support/temp-journal.ts';
import type { StoreDisk } from './journal-store.contract.ts';

const NEXT = sessionId('0190aaaa-0000-7000-8000-000000000002');
const EARLIER = sessionId('0190aaaa-0000-7000-8000-000000000000');
const NEVER = new AbortController().signal;

/** Becomes the live session, with a summary and one item of the old one. */
function switchBatch(atHash: EntryHash | null, carried: CarriedOver = {}, next = NEXT): Batch {
  const start: SessionEntry = {
    ...sessionStart(next),
    history: [system('summary'), said('one')],
    turnCount: 4,
    compactedFrom: { sessionId: SESSION, atHash: atHash ?? entryHash('none') },
    carried,
  };
  return {
    session: [start, { kind: 'prune_marked', at: AT, index: 1 }],
    journal: [
      { kind: 'session_current', at: AT, sessionId: next },
      { kind: 'compaction_state', at: AT, failures: 0, disabled: false },
    ],
    events: [event(99)],
  };
}

/** What a journal promises when another session becomes the live one, whatever store it is on. */
export function journalSwitchContract(name: string, newDisk: () => Promise<StoreDisk>): void {
  describe(`Journal contract, switch of sessions: ${name}`, () => {
    const begin = async (store: KeyValueStore) => {
      const journal = await tempJournal(store);
      await journal.commit(firstBatch());
      await journal.commit({ session: [answer(said('one')), usage(1), runEnd()] });
      return journal;
    };

    test('COMP-7, COMP-8: both logs turn to the new session in one batch, and what comes after is its own', async () => {
      await using disk = await newDisk();
      {
        await using journal = await begin(await disk.open());
        const lastRun = { runId: RUN, outcome: 'finished' as const, interrupted: false };
        const carried = { lastRun, firstRequest: 'go' };
        // All in one tick, so that they share a write.
        await Promise.all([
          journal.commit({ session: [usage(2)], events: [event(1)] }),
          journal.commit(switchBatch(headAfter(journal, usage(2)), carried)),
          journal.commit({ session: [runStart('run-2'), input('more')], events: [event(2)] }),
        ]);
        expect(journal.session()).toMatchObject({
          sessionId: NEXT,
          turnCount: 4,
          pruneMark: 1,
          firstRequest: 'go',
          openRun: 'run-2',
          usageRecords: [],
          compactedFrom: SESSION,
        });
        expect(numbers(journal.published.slice(-3))).toEqual([1, 99, 2]);
      }
      await using later = await tempJournal(await disk.open());
      expect(later.session().items).toEqual([system('summary'), said('one'), user('more')]);
      expect(later.session().pruneMark).toBe(1);
      expect(later.state().compaction).toEqual({ failures: 0, disabled: false, lastAt: AT });
      const old = await later.pastSession(SESSION, NEVER);
      expect(old.items).toEqual([user('go'), said('one')]);
      expect(await later.usage({ session: SESSION, from: 1, limit: 9 }, NEVER)).toMatchObject([
        { historyLen: 2, at: AT },
      ]);
    });

    test('COMP-7: one that was made of an older state is refused, and nothing of it is stored', async () => {
      await using disk = await newDisk();
      await using journal = await begin(await disk.open());
      const stale = journal.headHash();
      await journal.commit({ session: [usage(2)] });
      await expect(journal.commit(switchBatch(stale))).rejects.toThrow('does not begin where');
      expect(journal.session().sessionId).toBe(SESSION);
      await journal.commit(switchBatch(journal.headHash()));
      expect(journal.session().sessionId).toBe(NEXT);
    });

    test('COMP-1: an open run goes on in the new session, and ends there for whoever asks for it', async () => {
      await using disk = await newDisk();
      await using journal = await tempJournal(await disk.open());
      await journal.commit(firstBatch());
      await journal.commit({ session: [answer(said('one')), usage(1)] });
      await journal.commit({ session: [{ kind: 'run_yielded', at: AT, runId: RUN }] });
      await expect(journal.commit(switchBatch(journal.headHash()))).rejects.toThrow('open run');
      await journal.commit(switchBatch(journal.headHash(), { openRun: RUN }));
      expect(journal.session().openRun).toBe(RUN);
      const open = await journal.runEnd(SESSION, RUN, NEVER);
      expect(open).toEqual({ end: null, continuedBy: null });
      await journal.commit({ session: [runEnd()] });
      expect((await journal.runEnd(SESSION, RUN, NEVER)).end).toMatchObject({ outcome: 'error' });
    });

    test('COMP-1, INV-4: a crash in the run after the switch closes it in the new session; who took it up is found', async () => {
      await using disk = await newDisk();
      {
        await using journal = await tempJournal(await disk.open());
        await journal.commit(firstBatch());
        await journal.commit({ session: [answer(said('one'))] });
        await journal.commit(switchBatch(journal.headHash(), { openRun: RUN }));
      }
      await using later = await tempJournal(await disk.open());
      expect(later.restored.interruptedRun).toBe(RUN);
      expect(later.session()).toMatchObject({
        openRun: null,
        lastRun: { runId: RUN, outcome: 'interrupted' },
      });
      const start = { ...runStart('run-2'), trigger: 'resume' as const, continues: RUN };
      await later.commit({ session: [start] });
      expect(await later.runEnd(SESSION, RUN, NEVER)).toMatchObject({
        end: { outcome: 'interrupted' },
        continuedBy: runId('run-2'),
      });
    });

    test('PROTO-17: a run that ended in a session whose id sorts before its own, as after a clock that was set back, is found', async () => {
      await using disk = await newDisk();
      await using journal = await tempJournal(await disk.open());
      await journal.commit(firstBatch());
      await journal.commit({ session: [answer(said('one'))] });
      await journal.commit(switchBatch(journal.headHash(), { openRun: RUN }, EARLIER));
      await journal.commit({ session: [runEnd()] });
      expect((await journal.runEnd(SESSION, RUN, NEVER)).end).toMatchObject({ outcome: 'error' });
    });

    test('PROTO-8: a session that the store has not is told as such', async () => {
      await using disk = await newDisk();
      await using journal = await begin(await disk.open());
      const page = { session: sessionId('none'), from: 0, limit: 9 };
      await expect(journal.usage(page, NEVER)).rejects.toMatchObject({ code: 'unknown_session' });
      await expect(journal.pastSession(sessionId('../x'), NEVER)).rejects.toMatchObject({
        code: 'unknown_session',
      });
    });
  });
}

/** The head as it will be behind one more entry: what is committed in the same tick is chained in between. */
function headAfter(journal: TempJournal, entry: SessionEntry): EntryHash | null {
  const { sessionEntries: count, sessionBytes: bytes } = journal.size();
  return extendChain({ count, bytes, hash: journal.headHash() }, encodeEntry(entry)).hash;
}
