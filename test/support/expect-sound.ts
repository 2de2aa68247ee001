import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import * as v from 'valibot';
import { expect } from 'vitest';
import type { SessionEntry } from '../../daemon/core/entry.ts';
import { EventParams, EVENTS } from '../../protocol/events.ts';
import { METHODS } from '../../protocol/methods.ts';
import { findUnsound, storedEntries } from './stored-entries.ts';
import type { TempPod } from './temp-pod.ts';
import type { WireClient } from './wire-client.ts';

/** Everything that a client was told which is not what `protocol/` says of it. */
export function findMisfits(client: WireClient): string[] {
  const misfits: string[] = [];
  const judge = (what: string, schema: v.GenericSchema, value: unknown): void => {
    const parsed = v.safeParse(schema, value);
    if (!parsed.success) misfits.push(`${what}: ${v.summarize(parsed.issues)}`);
  };
  for (const event of client.events) {
    judge('Event', EventParams, event);
    if (event.event in EVENTS)
      judge(event.event, EVENTS[event.event as keyof typeof EVENTS], event.data);
  }
  for (const { id, result } of client.answers) {
    const method = client.asked.get(id);
    if (method === undefined || result === undefined || !(method in METHODS)) continue;
    judge(`the answer to ${method}`, METHODS[method as keyof typeof METHODS].result, result);
  }
  return misfits;
}

/**
 * The end of a story: what the clients were told fits `protocol/`, the Pod stops on SIGTERM and leaves no runtime
 * folder, and what is stored keeps INV-3 and INV-4. Answers the stored entries.
 */
export async function expectSound(
  pod: TempPod,
  ...clients: readonly WireClient[]
): Promise<SessionEntry[]> {
  for (const client of clients) expect(findMisfits(client)).toEqual([]);
  pod.signal('SIGTERM');
  expect(await pod.exit()).toBe(0);
  expect(existsSync(dirname(pod.socket))).toBe(false);
  const entries = await storedEntries(pod);
  expect(findUnsound(entries)).toEqual([]);
  return entries;
}
