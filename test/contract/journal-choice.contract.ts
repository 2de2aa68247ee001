import { describe, expect, test } from 'vitest';
import { type SessionId, sessionId } from '../../daemon/core/ids.ts';
import type { StartJournalOptions } from '../../daemon/session/open-journal.ts';
import type { KeyValueStore } from '../../daemon/session/store.ts';
import { failing } from '../support/failing-store.ts';
import { call, user } from '../support/items.ts';
import { answer, input, runEnd, runStart } from '../support/session-entries.ts';
import { firstBatch, tempJournal } from '../support/temp-journal.ts';
import type { StoreDisk } from './journal-store.contract.ts';

const OLD = sessionId('0190aaaa-0000-7000-8000-00000000000a');
const YOUNG = sessionId('0190aaaa-0000-7000-8000-00000000000b');
const UNKNOWN = '0190aaaa-0000-7000-8000-00000000000c';

const choose = (id: string): Partial<StartJournalOptions> => ({ session: { kind: 'id', id } });

type Begun = { readonly id: SessionId; readonly run: 'ended' | 'open' };

/** Begins sessions one after the other; the last of them is the live one. */
async function begin(disk: StoreDisk, ...sessions: readonly Begun[]): Promise<void> {
  for (const { id, run } of sessions) {
    const fresh = { session: { kind: 'new' }, newSessionId: () => id } as const;
    await using journal = await tempJournal(await disk.open(), fresh);
    const first = firstBatch([], id);
    const end = run === 'ended' ? [runEnd()] : [answer(call('a'))];
    await journal.commit({ ...first, session: [...(first.session ?? []), ...end] });
  }
}

async function dump(disk: StoreDisk): Promise<string[]> {
  await using store = await disk.open();
  const all: string[] = [];
  for await (const { key, value } of store.read({ from: '!', to: '~' }))
    all.push(`${key}=${Buffer.from(value).toString('latin1')}`);
  return all;
}

async function change(
  disk: StoreDisk,
  work: (store: KeyValueStore) => Promise<void>,
): Promise<void> {
  await using store = await disk.open();
  await work(store);
}

/** Which session a Journal goes on with; every Journal passes this. */
export function journalChoiceContract(name: string, newDisk: () => Promise<StoreDisk>): void {
  describe(`Journal contract, the choice of a session: ${name}`, () => {
    test('START-5: a session that is asked for goes on, and is at once the one that latest finds', async () => {
      await using disk = await newDisk();
      await begin(disk, { id: OLD, run: 'ended' }, { id: YOUNG, run: 'ended' });
      {
        await using journal = await tempJournal(await disk.open(), choose(OLD));
        expect(journal.session().sessionId).toBe(OLD);
        expect(journal.restored.journal.sessionCurrent).toBe(YOUNG);
        expect(journal.state()).toMatchObject({ sessionCurrent: OLD, epoch: 3 });
      }
      {
        await using journal = await tempJournal(await disk.open());
        expect(journal.session().sessionId).toBe(OLD);
        await journal.commit({ session: [runStart('run-2'), input('more'), runEnd('run-2')] });
      }
      await using again = await tempJournal(await disk.open());
      expect(again.session().items).toEqual([user('go'), user('more')]);
      expect(again.state().sessionCurrent).toBe(OLD);
    });

    test('START-5: asking for the session that is live anyway stores nothing but the start', async () => {
      await using asked = await newDisk();
      await using latest = await newDisk();
      for (const disk of [asked, latest]) await begin(disk, { id: OLD, run: 'open' });
      await tempJournal(await asked.open(), choose(OLD)).then((one) => one[Symbol.asyncDispose]());
      await tempJournal(await latest.open()).then((one) => one[Symbol.asyncDispose]());
      expect(await dump(asked)).toEqual(await dump(latest));
    });

    test('START-5 LOG-13: the run that died in the last session is closed when another one is asked for', async () => {
      await using disk = await newDisk();
      await begin(disk, { id: OLD, run: 'ended' }, { id: YOUNG, run: 'open' });
      {
        await using journal = await tempJournal(await disk.open(), choose(OLD));
        expect(journal.restored.interruptedRun).toBe('run-1');
        expect(journal.restored.interruptedCalls).toEqual(['a']);
        expect(journal.session()).toMatchObject({ sessionId: OLD, openRun: null });
        expect(journal.session().lastRun?.outcome).toBe('error');
      }
      await using back = await tempJournal(await disk.open(), choose(YOUNG));
      expect(back.restored.interruptedRun).toBeNull();
      expect(back.session().lastRun?.outcome).toBe('interrupted');
      expect(back.session().items.at(-1)).toMatchObject({ callId: 'a', isError: true });
    });

    test('START-5 LOG-13: a run that is open in the session that is asked for is closed, too', async () => {
      await using disk = await newDisk();
      await begin(disk, { id: OLD, run: 'open' });
      const head = `S!${OLD}`;
      let whole: Uint8Array | undefined;
      await change(disk, async (store) => {
        whole = await store.get(head);
        await store.write([{ kind: 'put', key: head, value: Buffer.from('{}') }]);
      });
      // Damaged, it is passed over with its run; then somebody restores it.
      await begin(disk, { id: YOUNG, run: 'ended' });
      await change(disk, async (store) => {
        await store.write([{ kind: 'put', key: head, value: whole ?? Buffer.alloc(0) }]);
      });
      for (const interrupted of ['run-1', null]) {
        await using journal = await tempJournal(await disk.open(), choose(OLD));
        expect(journal.restored.interruptedRun).toBe(interrupted);
        expect(journal.session().openRun).toBeNull();
        expect(journal.session().lastRun?.outcome).toBe('interrupted');
        expect(journal.session().items).toHaveLength(3);
      }
    });

    test('START-5: an id that the store does not have is refused with those that it has, and nothing is written', async () => {
      await using disk = await newDisk();
      const ids = Array.from({ length: 7 }, (_, n) => sessionId(`session-${n}`));
      await begin(disk, ...ids.map((id) => ({ id, run: 'ended' as const })));
      const before = await dump(disk);
      let epochs = 0;
      const epochAfter = (last: number): Promise<number> => Promise.resolve(last + (epochs += 1));
      // Part of an id is none, and the lines of its entries are no session either.
      for (const id of [UNKNOWN, 'session-', 'session-0-']) {
        await using store = await disk.open();
        const starting = tempJournal(store, { ...choose(id), epochAfter });
        await expect(starting).rejects.toMatchObject({
          code: 'manifest_invalid',
          message: `--session ${id}: this Pod's store has no such session; it has session-6 (live last), session-5, session-4, session-3, session-2, and 2 older ones`,
        });
      }
      expect(epochs).toBe(0);
      expect(await dump(disk)).toEqual(before);
    });

    test('START-5: a store without sessions says so', async () => {
      await using disk = await newDisk();
      await using store = await disk.open();
      await expect(tempJournal(store, choose(UNKNOWN))).rejects.toMatchObject({
        code: 'manifest_invalid',
        message: `--session ${UNKNOWN}: this Pod's store has no such session, and none at all yet`,
      });
    });

    test('START-5: a damaged session that is asked for is damage, and the last one stays live', async () => {
      await using disk = await newDisk();
      await begin(disk, { id: OLD, run: 'ended' }, { id: YOUNG, run: 'ended' });
      await change(disk, async (store) => {
        await store.write([{ kind: 'remove', key: `s!${OLD}!000000000001` }]);
      });
      const before = await dump(disk);
      {
        await using store = await disk.open();
        const starting = tempJournal(store, choose(OLD));
        await expect(starting).rejects.toMatchObject({ code: 'store_corrupt' });
      }
      expect(await dump(disk)).toEqual(before);
      await using journal = await tempJournal(await disk.open());
      expect(journal.session().sessionId).toBe(YOUNG);
    });

    test('START-5: a start that could not be recorded moves no pointer', async () => {
      await using disk = await newDisk();
      await begin(disk, { id: OLD, run: 'ended' }, { id: YOUNG, run: 'open' });
      const before = await dump(disk);
      {
        await using store = await disk.open();
        const full = failing(store, () => 'fails');
        const starting = tempJournal(full, choose(OLD));
        await expect(starting).rejects.toMatchObject({ code: 'cannot_create' });
      }
      expect(await dump(disk)).toEqual(before);
    });
  });
}
