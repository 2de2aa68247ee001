import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openJournal } from '../../daemon/session/open-journal.ts';
import { bundleFixture } from '../support/bundle-fixture.ts';
import { startFixture } from '../support/fixture-process.ts';
import { user } from '../support/items.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { journalOptions } from '../support/temp-journal.ts';

describe('openJournal', () => {
  test('LOG-5: after kill -9 in the middle of commits nothing that was acknowledged is missing', async () => {
    await using temp = await tempFolder();
    await using fixture = await bundleFixture('commit-loop.ts');
    const folder = join(temp.path, 'db');
    const acknowledged = new Set<string>();
    const killAfter = [1, 7, 40, 150, 333];
    for (const [index, lines] of killAfter.entries()) {
      await using child = startFixture(fixture.path, [folder]);
      await child.waitForLines(lines);
      for (const line of await child.kill()) acknowledged.add(line);

      const { journal, restored } = await openJournal({ ...journalOptions(), folder });
      await using owned = journal;
      const { items, openRun, lastRun } = owned.session();
      // The inputs are numbered by their place, so what is there is also in order and there once.
      const numbers = items.slice(1).map((_, n) => user(String(n + 1)));
      expect(items).toEqual([user('go'), ...numbers]);
      const stored = new Set(items.map((_, n) => String(n)));
      expect([...acknowledged].filter((line) => !stored.has(line))).toEqual([]);
      expect(openRun).toBeNull();
      expect(lastRun?.outcome).toBe('interrupted');
      expect(restored.interruptedRun).not.toBeNull();
      expect(owned.state().epoch).toBe(2 * index + 2);
    }
    expect(acknowledged.size).toBeGreaterThanOrEqual(531);
  });

  test('LOG-7: a store that another process holds is taken, and free again when that process dies', async () => {
    await using temp = await tempFolder();
    await using fixture = await bundleFixture('commit-loop.ts');
    const folder = join(temp.path, 'db');
    await using child = startFixture(fixture.path, [folder, 'hold']);
    await child.waitForLines(1);
    const second = openJournal({ ...journalOptions(), folder });
    await expect(second).rejects.toMatchObject({ name: 'Fault', code: 'taken' });
    await child.kill();
    const { journal } = await openJournal({ ...journalOptions(), folder });
    expect(journal.state().epoch).toBe(2);
    await journal[Symbol.asyncDispose]();
  });
});
