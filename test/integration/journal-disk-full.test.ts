import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openJournal } from '../../daemon/session/open-journal.ts';
import { user } from '../support/items.ts';
import { input } from '../support/session-entries.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { firstBatch, journalOptions } from '../support/temp-journal.ts';

/** The largest file that this process may write; the kernel then refuses as a full disk would, in the middle of a write. */
function limitFileBytes(bytes: number | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:unlimited`]);
}

describe('openJournal', () => {
  test('LOG-9: real LevelDB that ran out of space refuses, forgets nothing, and takes more when there is space', async () => {
    await using temp = await tempFolder();
    const folder = join(temp.path, 'db');
    const texts = ['one', 'two', 'three'].map((text) => text.repeat(20_000));
    {
      const { journal } = await openJournal({ ...journalOptions(), folder });
      await using owned = journal;
      await owned.commit(firstBatch());
      const head = owned.headHash();
      try {
        limitFileBytes(8 * 1024);
        for (let attempt = 0; attempt < 3; attempt += 1)
          await expect(
            owned.commit({ session: [input('lost'.repeat(10_000))] }),
          ).rejects.toMatchObject({
            code: 'storage_error',
          });
        expect(owned.headHash()).toBe(head);
        expect(owned.session().items).toEqual([user('go')]);
      } finally {
        limitFileBytes('unlimited');
      }
      for (const text of texts) await owned.commit({ session: [input(text)] });
      expect(owned.session().items).toHaveLength(4);
    }
    const { journal } = await openJournal({ ...journalOptions(), folder });
    await using again = journal;
    expect(again.session().items).toEqual([user('go'), ...texts.map(user)]);
  });
});
