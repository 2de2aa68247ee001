import { afterEach, describe, expect, test, vi } from 'vitest';
import { InvariantError } from '../../daemon/core/assert.ts';
import { runId } from '../../daemon/core/ids.ts';
import { LIMITS } from '../../daemon/core/limits.ts';
import type { Batch } from '../../daemon/ports/journal.ts';
import { failing } from '../support/failing-store.ts';
import { result, user } from '../support/items.ts';
import { input, results } from '../support/session-entries.ts';
import { event, firstBatch, numbers, tempJournal } from '../support/temp-journal.ts';
import type { StoreDisk } from './journal-store.contract.ts';

const say = (text: string, n: number): Batch => ({ session: [input(text)], events: [event(n)] });
const storageError = { name: 'Fault', code: 'storage_error' };

/** What a Journal refuses, and what a failing disk does to it. Every Journal passes this too. */
export function journalFailureContract(name: string, newDisk: () => Promise<StoreDisk>): void {
  describe(`Journal contract, failures: ${name}`, () => {
    afterEach(() => {
      vi.useRealTimers();
    });

    test('LOG-9: what a failing disk does not take is refused, and neither projected nor published', async () => {
      await using disk = await newDisk();
      let down = false;
      const store = failing(await disk.open(), () => (down ? 'fails' : 'ok'));
      {
        await using journal = await tempJournal(store);
        await journal.commit(firstBatch());
        const head = journal.headHash();
        down = true;
        await expect(journal.commit(say('lost', 1))).rejects.toMatchObject(storageError);
        await expect(journal.commit(say('lost too', 2))).rejects.toMatchObject(storageError);
        expect(journal.headHash()).toBe(head);
        expect(journal.session().items).toEqual([user('go')]);
        expect(journal.published).toEqual([]);
        down = false;
        await journal.commit(say('kept', 3));
        expect(numbers(journal.published)).toEqual([3]);
      }
      await using again = await tempJournal(await disk.open());
      expect(again.session().items).toEqual([user('go'), user('kept')]);
    });

    test('LOG-9: a failed write refuses exactly the batches in it; events alone keep their place', async () => {
      await using disk = await newDisk();
      const store = failing(await disk.open(), (write) => (write === 3 ? 'fails' : 'ok'));
      await using journal = await tempJournal(store);
      await journal.commit(firstBatch());
      const first = [journal.commit(say('lost', 1)), journal.commit({ events: [event(2)] })];
      const outcomes = await Promise.allSettled(first);
      expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
      await journal.commit(say('kept', 3));
      expect(numbers(journal.published)).toEqual([2, 3]);
      expect(journal.session().items).toEqual([user('go'), user('kept')]);
    });

    test('LOG-9: after a failed write that is on disk all the same nothing more is stored, and a restart goes on from the disk', async () => {
      await using disk = await newDisk();
      {
        const store = failing(await disk.open(), (write) =>
          write === 3 ? 'lands and fails' : 'ok',
        );
        await using journal = await tempJournal(store);
        await journal.commit(firstBatch());
        await expect(journal.commit(say('landed', 1))).rejects.toMatchObject(storageError);
        await expect(journal.commit(say('after', 2))).rejects.toMatchObject(storageError);
        await expect(journal.commit(say('after', 3))).rejects.toThrow('restart the Pod');
        expect(store.writes()).toBe(3);
        await journal.commit({ events: [event(4)] });
        expect(numbers(journal.published)).toEqual([4]);
        expect(journal.session().items).toEqual([user('go')]);
      }
      await using again = await tempJournal(await disk.open());
      expect(again.session().items).toEqual([user('go'), user('landed')]);
    });

    test('INV-6: a write that hangs is given up at its deadline with all that waits behind it', async () => {
      await using disk = await newDisk();
      const inner = await disk.open();
      const store = failing(inner, (write) => (write === 3 ? 'hangs' : 'ok'));
      const journal = await tempJournal(store);
      await journal.commit(firstBatch());
      vi.useFakeTimers();
      const hung = journal.commit(say('hung', 1));
      const outcomes = Promise.allSettled([
        hung,
        journal.commit(say('behind', 2)),
        journal.commit({ events: [event(3)] }),
      ]);
      await vi.advanceTimersByTimeAsync(LIMITS.commitMs - 1);
      expect(journal.committingSince()).toBe(1_000);
      await vi.advanceTimersByTimeAsync(1);
      expect((await outcomes).map(({ status }) => status)).toEqual([
        'rejected',
        'rejected',
        'fulfilled',
      ]);
      await expect(hung).rejects.toMatchObject(storageError);
      await expect(journal.commit(say('later', 4))).rejects.toThrow('within 30000 ms');
      await journal.commit({ events: [event(5)] });
      expect(numbers(journal.published)).toEqual([3, 5]);
      expect(journal.session().items).toEqual([user('go')]);
      await journal[Symbol.asyncDispose]();
      expect(vi.getTimerCount()).toBe(0);
      await inner[Symbol.asyncDispose]();
    });

    test('INV-12: batches that wait for the disk have a limit in number', async () => {
      await using disk = await newDisk();
      await using journal = await tempJournal(await disk.open());
      const commits = Array.from({ length: LIMITS.commitQueue }, (_, n) =>
        journal.commit({ events: [event(n)] }),
      );
      await expect(journal.commit({ events: [] })).rejects.toThrow('1024 batches');
      await Promise.all(commits);
      await journal.commit({ events: [event(-2)] });
    });

    test('INV-12: batches that wait for the disk have a limit in bytes', async () => {
      await using disk = await newDisk();
      await using journal = await tempJournal(await disk.open());
      await journal.commit(firstBatch());
      const large = input('x'.repeat(11 * 1024 * 1024));
      const commits = Array.from({ length: 5 }, () => journal.commit({ session: [large] }));
      await expect(journal.commit({ session: [large] })).rejects.toMatchObject(storageError);
      await Promise.all(commits);
      expect(journal.session().items).toHaveLength(6);
    });

    test('INV-12: an entry over its limit is refused with its size, and nothing of its batch is stored', async () => {
      await using disk = await newDisk();
      await using journal = await tempJournal(await disk.open());
      await journal.commit(firstBatch());
      const large = input('x'.repeat(LIMITS.entryBytes));
      const refused = journal.commit({ session: [input('small'), large], events: [event(1)] });
      await expect(refused).rejects.toMatchObject(storageError);
      await expect(refused).rejects.toThrow(/an entry of 125830\d\d bytes/);
      expect(journal.session().items).toEqual([user('go')]);
      expect(journal.published).toEqual([]);
    });

    test('INV-2: an entry that does not fit the history is refused before it is stored, and what fits goes on', async () => {
      await using disk = await newDisk();
      {
        await using journal = await tempJournal(await disk.open());
        const unnamed = { ...firstBatch(), journal: [] };
        await expect(journal.commit(unnamed)).rejects.toBeInstanceOf(InvariantError);
        const outcomes = await Promise.allSettled([
          journal.commit(firstBatch()),
          journal.commit({ session: [input('lost'), results(result('never called'))] }),
          journal.commit({ journal: [{ kind: 'input_taken', at: 1, runId: runId('never') }] }),
          journal.commit(say('kept', 1)),
        ]);
        expect(outcomes.map(({ status }) => status)).toEqual([
          'fulfilled',
          'rejected',
          'rejected',
          'fulfilled',
        ]);
        expect(journal.session().items).toEqual([user('go'), user('kept')]);
      }
      await using again = await tempJournal(await disk.open());
      expect(again.session().items).toEqual([user('go'), user('kept')]);
    });
  });
}
