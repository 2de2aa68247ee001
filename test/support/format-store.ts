import type { SessionEntry } from '../../daemon/core/entry.ts';
import { openJournal } from '../../daemon/session/open-journal.ts';
import { call, result, said, thought, user } from './items.ts';
import {
  answer,
  AT as at,
  CONFIG,
  input,
  results,
  RUN,
  runEnd,
  runStart,
  usage,
} from './session-entries.ts';
import { firstBatch, journalOptions } from './temp-journal.ts';

/** Every kind of a session log, after its first batch; the last run is left open, with a call without its result. */
const ENTRIES: readonly SessionEntry[] = [
  answer(thought('hm'), said('I read "ü😀\u2028".'), call('a'), call('b')),
  usage(1),
  { kind: 'call_started', at, callId: 'b', intent: { kind: 'command', hash: 'h' } },
  results({ ...result('a'), files: [{ path: '/w/a', hash: 'ab', op: 'read' }] }, result('b')),
  { kind: 'turn_end', at, runId: RUN, turnCount: 1, stopReason: 'tool_calls' },
  { kind: 'prune_marked', at, index: 2 },
  { kind: 'run_yielded', at, runId: RUN },
  { kind: 'injected_items', at, items: [user('a note')] },
  runEnd(),
  { kind: 'config_changed', at, config: { ...CONFIG, maxTurns: 9 } },
  runStart('run-2'),
  input('again'),
  answer(call('c')),
];

/** Writes what each released format is kept an example of: the same bytes each time. */
export async function writeFormatStore(folder: string): Promise<void> {
  {
    const { journal } = await openJournal({ ...journalOptions(), folder });
    await journal.commit({ journal: [{ kind: 'stopped', at, reason: 'client' }] });
    await journal[Symbol.asyncDispose]();
  }
  const { journal } = await openJournal({ ...journalOptions({ bootId: 'boot-2' }), folder });
  await journal.commit(firstBatch());
  for (const entry of ENTRIES) await journal.commit({ session: [entry] });
  await journal[Symbol.asyncDispose]();
}
