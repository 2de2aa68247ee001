import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { JOURNAL_KINDS, SESSION_KINDS, STORE_FORMAT } from '../../daemon/core/entry.ts';
import { openLevelStore } from '../../daemon/session/level-store.ts';
import { openJournal } from '../../daemon/session/open-journal.ts';
import { writeFormatStore } from '../support/format-store.ts';
import { call, result, said, thought, user } from '../support/items.ts';
import { CONFIG } from '../support/session-entries.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { journalOptions } from '../support/temp-journal.ts';

/** Kept as podd wrote them when each format was released (by `writeFormatStore`); they are never written anew. */
const FORMATS = join(import.meta.dirname, '..', 'fixtures', 'formats');

/** Each key with its value; hashes in hex, payloads as text. */
async function keyValues(folder: string): Promise<Record<string, string>> {
  await using store = await openLevelStore(join(folder, 'level'), 'refuse');
  const found: Record<string, string> = {};
  for await (const { key, value } of store.read({ from: '!', to: '~' })) {
    const hash = /^[sj]!/.test(key) ? 32 : 0;
    const bytes = Buffer.from(value);
    found[key] = bytes.toString('hex', 0, hash) + bytes.toString('utf8', hash);
  }
  return found;
}

describe('formats', () => {
  test('LOG-17: a store of format 1 is opened with all that it held', async () => {
    await using temp = await tempFolder();
    const folder = join(temp.path, 'db');
    await cp(join(FORMATS, 'v1', 'db'), folder, { recursive: true });
    const { journal, restored } = await openJournal({ ...journalOptions(), folder });
    await using owned = journal;
    const session = owned.session();
    expect(session.systemPrompt).toBe('be brief');
    expect(session.config).toEqual({ ...CONFIG, maxTurns: 9 });
    expect(session.items).toEqual([
      user('go'),
      thought('hm'),
      said('I read "ü😀\u2028".'),
      call('a'),
      call('b'),
      { ...result('a'), files: [{ path: '/w/a', hash: 'ab', op: 'read' }] },
      result('b'),
      user('a note'),
      user('again'),
      call('c'),
      {
        type: 'tool_result',
        callId: 'c',
        summary: 'interrupted; outcome unknown',
        isError: true,
      },
    ]);
    expect(session.turnCount).toBe(1);
    expect(session.totals.usage.inputTotal).toBe(10);
    expect(session.tracker.files()).toEqual([{ path: '/w/a', hash: 'ab' }]);
    expect(restored.interruptedRun).toBe('run-2');
    expect(restored.journal).toMatchObject({ epoch: 2, bootId: 'boot-2', stopped: false });
  });

  test('LOG-17: this version writes its format byte for byte as it was released', async () => {
    await using temp = await tempFolder();
    const released = join(temp.path, 'released');
    await cp(join(FORMATS, `v${STORE_FORMAT}`, 'db'), released, { recursive: true });
    const written = join(temp.path, 'written');
    await writeFormatStore(written);
    expect(await keyValues(written)).toEqual(await keyValues(released));
  });

  test('LOG-17: the kinds of entries are those of format 1; another one is a new format', () => {
    expect(STORE_FORMAT).toBe(1);
    expect(Object.keys(SESSION_KINDS)).toMatchInlineSnapshot(`
      [
        "session_start",
        "run_start",
        "user_input",
        "injected_items",
        "assistant_items",
        "call_started",
        "tool_results",
        "turn_end",
        "llm_usage",
        "prune_marked",
        "config_changed",
        "run_yielded",
        "run_outcome",
      ]
    `);
    expect(Object.keys(JOURNAL_KINDS)).toMatchInlineSnapshot(`
      [
        "journal_start",
        "started",
        "stopped",
        "session_current",
        "input_queued",
        "input_taken",
        "input_cleared",
        "note_queued",
        "note_taken",
        "request_done",
        "decision_asked",
        "decision_made",
        "remembered",
        "budget",
        "child",
        "outbox",
        "inbox_cursor",
        "compaction_state",
      ]
    `);
  });
});
