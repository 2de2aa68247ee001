import { createHash } from 'node:crypto';
import type { WireEvent } from './wire-client.ts';

/** What two transcripts are compared by: the texts of the `*_done` events and the results of tools, one after the other. */
export function transcriptHash(events: readonly WireEvent[]): string {
  const hash = createHash('sha256');
  for (const { event, data } of events)
    if (event === 'tool_call_done') hash.update(`${String(data['arguments'])}\n`);
    else if (event.endsWith('_done')) hash.update(`${String(data['text'])}\n`);
    else if (event === 'tool_result')
      hash.update(`${JSON.stringify([data['summary'], data['content']])}\n`);
  return hash.digest('hex');
}

/** Without deltas, each of which repeats the number before it. */
export function numbersOf(events: readonly WireEvent[]): number[] {
  return events
    .filter(({ event }) => !/_delta$|^tool_output$|^lagged$/.test(event))
    .map(({ seq }) => seq);
}
