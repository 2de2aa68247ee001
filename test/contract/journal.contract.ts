import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Numbered } from '../../protocol/events.ts';
import type { JournalEntry } from '../../daemon/core/entry.ts';
import { runId, sessionId } from '../../daemon/core/ids.ts';
import { LIMITS } from '../../daemon/core/limits.ts';
import type { Batch } from '../../daemon/ports/journal.ts';
import { HeldStore } from '../support/held-store.ts';
import { call, result, user } from '../support/items.ts';
import {
  RUN,
  SESSION,
  answer,
  input,
  results,
  runEnd,
  validHistory,
} from '../support/session-entries.ts';
import { event, firstBatch, numbers, tempJournal } from '../support/temp-journal.ts';
import { until } from '../support/until.ts';
import type { StoreDisk } from './journal-store.contract.ts';

const NEVER = new AbortController().signal;
const say = (text: string, n: number): Batch => ({ session: [input(text)], events: [event(n)] });
const storageError = { name: 'Fault', code: 'storage_error' };

/** Every Journal passes this; `newDisk` is what its store is kept on. */
export function journalContract(name: string, newDisk: () => Promise<StoreDisk>): void {
  describe(`Journal contract: ${name}`, () => {
    test('LOG-16: a fresh session has an id, and nothing of it is stored before its first run', async () => {
      await using disk = await newDisk();
      {
        await using journal = await tempJournal(await disk.open());
        expect(journal.session().sessionId).toBe(SESSION);
        expect(journal.session().begun).toBe(false);
        expect(journal.headHash()).toBeNull();
        expect(journal.size().sessionEntries).toBe(0);
        expect(journal.state().sessionCurrent).toBeNull();
      }
      const newSessionId = (): typeof SESSION => `${SESSION}-again` as typeof SESSION;
      await using again = await tempJournal(await disk.open(), { newSessionId });
      expect(again.session().sessionId).toBe(newSessionId());
    });

    test('LOG-1: one commit puts entries into both logs and both projections', async () => {
      await using disk = await newDisk();
      await using journal = await tempJournal(await disk.open());
      await journal.commit(firstBatch([event(1)]));
      expect(journal.session().items).toEqual([user('go')]);
      expect(journal.state().sessionCurrent).toBe(SESSION);
      expect(journal.headHash()).toMatch(/^[0-9a-f]{64}$/);
      expect(journal.size().sessionEntries).toBe(3);
      expect(journal.size().journalEntries).toBe(3);
      expect(numbers(journal.published)).toEqual([1]);
    });

    test('LOG-1: events are published when the projections have their entries, and the commit is answered after', async () => {
      await using disk = await newDisk();
      const seen: string[] = [];
      const publish = (events: readonly Numbered[]): void => {
        seen.push(`published ${numbers(events).join()} at ${journal.session().items.length} items`);
      };
      await using journal = await tempJournal(await disk.open(), { publish });
      await journal.commit(firstBatch([event(1)])).then(() => seen.push('answered'));
      expect(seen).toEqual(['published 1 at 1 items', 'answered']);
    });

    test('INV-1: while the disk is at work nothing of a batch is seen', async () => {
      await using disk = await newDisk();
      const held = new HeldStore(await disk.open());
      await using journal = await tempJournal(held.store);
      held.hold();
      const committed = journal.commit(firstBatch([event(1)]));
      await until(() => held.waiting === 1, 'the write');
      for (let turns = 0; turns < 20; turns += 1)
        await new Promise((resolve) => setImmediate(resolve));
      expect(journal.session().begun).toBe(false);
      expect(journal.published).toEqual([]);
      expect(journal.committingSince()).toBe(1_000);
      held.letGo();
      await committed;
      expect(numbers(journal.published)).toEqual([1]);
      expect(journal.committingSince()).toBeNull();
    });

    test('LOG-1: batches of many callers are stored and published in the order of the calls', async () => {
      await using disk = await newDisk();
      const texts = Array.from({ length: 200 }, (_, n) => `input ${n}`);
      {
        await using journal = await tempJournal(await disk.open());
        const answered: number[] = [];
        await Promise.all([
          journal.commit(firstBatch()),
          ...texts.map(async (text, n) => {
            // Every third has nothing to store, and keeps its place all the same.
            await journal.commit(n % 3 === 0 ? { events: [event(n)] } : say(text, n));
            answered.push(n);
          }),
        ]);
        expect(numbers(journal.published)).toEqual(texts.map((_, n) => n));
        expect(answered).toEqual(texts.map((_, n) => n));
      }
      await using again = await tempJournal(await disk.open());
      const stored = texts.filter((_, n) => n % 3 !== 0).map(user);
      expect(again.session().items).toEqual([user('go'), ...stored]);
    });

    test('LOG-6: the session that was live is restored as it was, under the next epoch', async () => {
      await using disk = await newDisk();
      let head: string | null;
      {
        await using journal = await tempJournal(await disk.open());
        expect(journal.state().epoch).toBe(1);
        await journal.commit(firstBatch());
        await journal.commit({ session: [answer(call('a')), results(result('a')), runEnd()] });
        head = journal.headHash();
      }
      await using again = await tempJournal(await disk.open(), { bootId: 'boot-2' });
      expect(again.session().sessionId).toBe(SESSION);
      expect(again.session().items).toEqual([user('go'), call('a'), result('a')]);
      expect(again.session().systemPrompt).toBe('be brief');
      expect(again.headHash()).toBe(head);
      expect(again.state()).toMatchObject({ epoch: 2, bootId: 'boot-2', sessionCurrent: SESSION });
      expect(again.restored.interruptedRun).toBeNull();
    });

    test('LOG-13: a run without a live owner is closed as interrupted before the journal is open', async () => {
      await using disk = await newDisk();
      {
        await using journal = await tempJournal(await disk.open());
        await journal.commit(firstBatch());
        await journal.commit({ session: [answer(call('a'), call('b')), results(result('a'))] });
      }
      const lost = { callId: 'b', summary: 'interrupted; outcome unknown', isError: true };
      for (const restart of [1, 2]) {
        await using again = await tempJournal(await disk.open());
        const { interruptedRun, interruptedCalls } = again.restored;
        expect(interruptedRun).toBe(restart === 1 ? 'run-1' : null);
        expect(interruptedCalls).toEqual(restart === 1 ? ['b'] : []);
        expect(again.session().openRun).toBeNull();
        expect(again.session().lastRun).toMatchObject({
          outcome: 'interrupted',
          interrupted: true,
        });
        expect(again.session().items.at(-1)).toMatchObject(lost);
        expect(again.session().items).toHaveLength(5);
      }
    });

    test('LOG-13: a run that died is closed also when a new session is asked for, which goes on in its own log', async () => {
      await using disk = await newDisk();
      {
        await using journal = await tempJournal(await disk.open());
        await journal.commit(firstBatch());
      }
      const fresh = `${SESSION}-2` as typeof SESSION;
      {
        await using journal = await tempJournal(await disk.open(), {
          session: { kind: 'new' },
          newSessionId: () => fresh,
        });
        expect(journal.restored.interruptedRun).toBe('run-1');
        expect(journal.session().begun).toBe(false);
        // The old one stays the live one until the new one begins.
        expect(journal.state().sessionCurrent).toBe(SESSION);
        await journal.commit(firstBatch([], fresh));
        await journal.commit({ session: [runEnd()] });
      }
      await using again = await tempJournal(await disk.open());
      expect(again.session().sessionId).toBe(fresh);
      expect(again.restored.interruptedRun).toBeNull();
    });

    test('LOG-13: a Pod that was stopped on purpose is found stopped', async () => {
      await using disk = await newDisk();
      {
        await using journal = await tempJournal(await disk.open());
        await journal.commit({ journal: [{ kind: 'stopped', at: 1, reason: 'client' }] });
        expect(journal.state().stopped).toBe(true);
      }
      await using again = await tempJournal(await disk.open());
      expect(again.restored.journal).toMatchObject({ epoch: 1, stopped: true });
      expect(again.state()).toMatchObject({ epoch: 2, stopped: false });
    });

    test('PROTO-17: how a run ended is found in the log, with the run that took it up', async () => {
      await using disk = await newDisk();
      {
        await using journal = await tempJournal(await disk.open());
        await journal.commit(firstBatch());
        const [first, second] = [runId(RUN), runId('later')];
        await expect(journal.runEnd(SESSION, first, NEVER)).resolves.toEqual({
          end: null,
          continuedBy: null,
        });
        const interrupted = {
          at: 1,
          runId: first,
          interrupted: true,
          outcome: 'interrupted',
        } as const;
        const start = { at: 2, runId: second, trigger: 'resume', continues: first } as const;
        await journal.commit({
          session: [
            { kind: 'run_outcome', ...interrupted },
            { kind: 'run_start', ...start },
            input('more'),
          ],
        });
      }
      await using again = await tempJournal(await disk.open());
      await expect(again.runEnd(SESSION, runId(RUN), NEVER)).resolves.toMatchObject({
        end: { kind: 'run_outcome', outcome: 'interrupted' },
        continuedBy: 'later',
      });
      await expect(again.runEnd(SESSION, runId('later'), NEVER)).resolves.toMatchObject({
        end: { outcome: 'interrupted' },
        continuedBy: null,
      });
      const gone = AbortSignal.abort(new Error('given up'));
      await expect(again.runEnd(SESSION, runId(RUN), gone)).rejects.toThrow('given up');
      await expect(again.runEnd(sessionId('none'), runId(RUN), NEVER)).resolves.toEqual({
        end: null,
        continuedBy: null,
      });
    });

    test('LOG-3 PROTO-17: a journal whose state is larger than its limit is rewritten now and then, not at every entry', async () => {
      await using disk = await newDisk();
      await using journal = await tempJournal(await disk.open());
      await journal.commit(firstBatch());
      const note = (n: number): JournalEntry => {
        const text = 'x'.repeat(LIMITS.queuedNoteBytes / LIMITS.queuedNotes);
        return { kind: 'note_queued', at: 1, note: { noteId: `n${n}`, text } };
      };
      let rewritten = 0;
      let before = 0;
      for (let n = 0; n < 3 * LIMITS.queuedNotes; n += 1) {
        await journal.commit({ journal: [note(n)] });
        const { journalEntries } = journal.size();
        if (journalEntries < before) rewritten += 1;
        before = journalEntries;
      }
      expect(rewritten).toBeGreaterThan(0);
      expect(rewritten).toBeLessThan(4);
      expect(journal.state().notes.length).toBeGreaterThan(LIMITS.queuedNotes - 3);
    });

    test('LOG-3: a journal over its limit is rewritten from its state, chained to the one before', async () => {
      await using disk = await newDisk();
      const stop = { kind: 'stopped' as const, at: 1, reason: 'x'.repeat(100_000) };
      {
        await using journal = await tempJournal(await disk.open());
        await journal.commit(firstBatch([], SESSION));
        let largest = 0;
        for (let n = 0; n < 40; n += 1) {
          await journal.commit({ journal: [stop] });
          largest = Math.max(largest, journal.size().journalBytes);
        }
        expect(largest).toBeGreaterThan(LIMITS.journalBytes);
        expect(largest).toBeLessThan(LIMITS.journalBytes + 200_000);
        await journal.commit({ session: [input('more'), runEnd()] });
      }
      {
        const store = await disk.open();
        const heads: string[] = [];
        let bytes = 0;
        for await (const { key, value } of store.read({ from: 'j!', to: 'j"' })) {
          if (key.endsWith('!000000000000')) heads.push(Buffer.from(value.subarray(32)).toString());
          bytes += value.length;
        }
        // The chains before it are gone, and it says where the last of them ended.
        expect(heads).toHaveLength(1);
        expect(heads[0]).toMatch(/"kind":"journal_start".*"continues":"[0-9a-f]{64}"/);
        expect(bytes).toBeLessThan(LIMITS.journalBytes + 200_000);
        await store[Symbol.asyncDispose]();
      }
      await using again = await tempJournal(await disk.open());
      expect(again.restored.journal).toMatchObject({ epoch: 1, stopped: true });
      expect(again.session().items).toEqual([user('go'), user('more')]);
    });

    test('LOG-4: closing waits for what was taken, takes no more, and can be done twice', async () => {
      await using disk = await newDisk();
      const journal = await tempJournal(await disk.open());
      const commits = [journal.commit(firstBatch()), journal.commit(say('last', 1))];
      const closed = journal[Symbol.asyncDispose]();
      await expect(journal.commit(say('late', 2))).rejects.toMatchObject(storageError);
      await closed;
      await journal[Symbol.asyncDispose]();
      await Promise.all(commits);
      await using again = await tempJournal(await disk.open());
      expect(again.session().items).toEqual([user('go'), user('last')]);
    });

    test('LOG-6: any valid history, committed in any batches, is restored as it was live', async () => {
      await fc.assert(
        fc.asyncProperty(
          validHistory,
          fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 }),
          async (history, sizes) => {
            await using disk = await newDisk();
            let live: unknown;
            {
              await using journal = await tempJournal(await disk.open());
              const commits: Promise<void>[] = [];
              const rest = [...history];
              while (rest.length > 0) {
                const session = rest.splice(0, sizes[commits.length % sizes.length]);
                const begins = session[0]?.kind === 'session_start';
                const journalEntries = begins ? (firstBatch().journal ?? []) : [];
                commits.push(journal.commit({ session, journal: journalEntries }));
              }
              await Promise.all(commits);
              live = { ...journal.session(), size: journal.size().sessionBytes };
            }
            await using again = await tempJournal(await disk.open());
            expect({ ...again.session(), size: again.size().sessionBytes }).toEqual(live);
          },
        ),
        { numRuns: 25 },
      );
    });
  });
}
