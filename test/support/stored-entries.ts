import { join } from 'node:path';
import { Level } from 'level';
import type { SessionEntry } from '../../daemon/core/entry.ts';
import type { TempPod } from './temp-pod.ts';

const HASH_BYTES = 32;

/** What a stopped Pod's session logs hold, oldest session first, read without the product's code. */
export async function storedEntries(pod: TempPod): Promise<SessionEntry[]> {
  const db = new Level<string, Uint8Array>(join(pod.state, 'db', 'level'), {
    keyEncoding: 'utf8',
    valueEncoding: 'buffer',
    createIfMissing: false,
  });
  await db.open();
  try {
    const values = await db.values({ gte: 's!', lt: 's"' }).all();
    return values.map(
      (value) =>
        JSON.parse(Buffer.from(value.subarray(HASH_BYTES)).toString('utf8')) as SessionEntry,
    );
  } finally {
    await db.close();
  }
}

/** What no log of a Pod that stopped in peace may hold: INV-3 and INV-4, entry by entry. */
export function findUnsound(entries: readonly SessionEntry[]): string[] {
  const problems: string[] = [];
  const ended = new Set<string>();
  const called = new Set<string>();
  let openRun: string | null = null;
  let openCalls: string[] = [];
  for (const [at, entry] of entries.entries()) {
    const say = (what: string): number => problems.push(`${at} ${entry.kind}: ${what}`);
    if (entry.kind === 'run_start') {
      if (openRun !== null) say(`run ${openRun} is still open`);
      if (ended.has(entry.runId)) say(`run ${entry.runId} starts again`);
      openRun = entry.runId;
    } else if (entry.kind === 'run_outcome') {
      if (openRun !== entry.runId) say(`run ${entry.runId} is not open`);
      if (openCalls.length > 0) say(`calls without a result: ${openCalls.join()}`);
      ended.add(entry.runId);
      openRun = null;
    } else if (entry.kind === 'assistant_items') {
      if (openRun === null) say('outside a run');
      if (openCalls.length > 0) say(`an answer before the results of ${openCalls.join()}`);
      openCalls = entry.items.flatMap((item) => (item.type === 'tool_call' ? [item.callId] : []));
      for (const callId of openCalls) {
        if (called.has(callId)) say(`call ${callId} came before`);
        called.add(callId);
      }
    } else if (entry.kind === 'tool_results') {
      const results = entry.items.map(({ callId }) => callId);
      if (results.join() !== openCalls.join())
        say(`results of ${results.join()} for calls ${openCalls.join()}`);
      openCalls = [];
    } else if (entry.kind === 'call_started' && !openCalls.includes(entry.callId)) {
      say(`${entry.callId} is not open`);
    }
  }
  if (openRun !== null) problems.push(`run ${openRun} has no outcome`);
  if (openCalls.length > 0) problems.push(`calls without a result at the end: ${openCalls.join()}`);
  return problems;
}
