import { isDeepStrictEqual } from 'node:util';
import { DELTAS } from '../../protocol/events.ts';
import type { Item, ToolResultItem } from '../../protocol/items.ts';
import type { WireClient, WireEvent } from '../support/wire-client.ts';

/** What a Pod says of itself: its history and its status, asked for at one moment. */
export type Testimony = {
  readonly items: readonly Item[];
  readonly status: Readonly<Record<string, unknown>>;
};

/** What clients were told before a death. It adds up over the lives of one Pod. */
export class Acknowledged {
  readonly #events = new Map<string, WireEvent>();
  readonly #answers: Record<string, unknown>[] = [];

  /** Everything final that came over the connection, up to the last whole line. Two clients are told the same. */
  add(client: WireClient): void {
    for (const event of client.events) {
      if (DELTA_NAMES.has(event.event)) continue;
      const key = `${event.epoch}:${event.seq}`;
      const before = this.#events.get(key);
      if (before !== undefined && !isDeepStrictEqual(before, event))
        throw new Error(`event ${key} was told as ${JSON.stringify([before, event])}`);
      this.#events.set(key, event);
    }
    for (const { result } of client.answers)
      if (typeof result === 'object' && result !== null)
        this.#answers.push(result as Record<string, unknown>);
  }

  told(event: string): readonly WireEvent[] {
    return [...this.#events.values()].filter((one) => one.event === event);
  }

  /** Runs whose end a client was told, by the event or by the answer, with that outcome. */
  endedRuns(): ReadonlyMap<unknown, unknown> {
    const reports = this.#answers.filter((answer) => 'outcome' in answer && 'runId' in answer);
    return new Map(
      [...this.told('run_end').map(({ data }) => data), ...reports].map((one) => [
        one['runId'],
        one['outcome'],
      ]),
    );
  }

  /** Each thing that was told as final and is not, or not so, in the testimony. */
  missingFrom({ items, status }: Testimony): string[] {
    const lost: string[] = [];
    for (const { event, data } of this.#events.values()) {
      const why = lossOf(event, data, items);
      if (why !== null) lost.push(`${event}: ${why}: ${JSON.stringify(data).slice(0, 300)}`);
    }
    const spent = this.told('usage').reduce((sum, { data }) => sum + Number(data['output']), 0);
    const { output } = status['usage'] as { output: number };
    if (output < spent) lost.push(`usage: ${spent} output tokens were told, ${output} are stored`);
    return lost;
  }
}

const DELTA_NAMES: ReadonlySet<string> = new Set(DELTAS);
const INTERRUPTED = 'interrupted; outcome unknown';

function lossOf(
  event: string,
  data: Readonly<Record<string, unknown>>,
  items: readonly Item[],
): string | null {
  const has = (isIt: (item: Item) => boolean): string | null =>
    items.some(isIt) ? null : 'it is not in the history';
  switch (event) {
    case 'history': {
      const { from, items: told } = data as { from: number; items: Item[] };
      const stored = items.slice(from, from + told.length);
      return isDeepStrictEqual(stored, told) ? null : `at ${from} is ${JSON.stringify(stored)}`;
    }
    case 'text_done':
      return has((item) => item.type === 'message' && textOf(item) === data['text']);
    case 'tool_call_done':
      return has(
        (item) =>
          item.type === 'tool_call' &&
          item.callId === data['callId'] &&
          item.arguments === data['arguments'],
      );
    case 'tool_result':
      return has(
        (item) =>
          item.type === 'tool_result' &&
          item.callId === data['callId'] &&
          item.summary === data['summary'] &&
          item.content === data['content'],
      );
    default:
      return null;
  }
}

/** What no history of runs that are over may show. */
export function findInvalid(items: readonly Item[]): string[] {
  const problems: string[] = [];
  const open = new Map<string, string>();
  const seen = new Set<string>();
  for (const [at, item] of items.entries()) {
    if (item.type === 'tool_call') {
      if (seen.has(item.callId)) problems.push(`${at}: call ${item.callId} came twice`);
      seen.add(item.callId);
      open.set(item.callId, item.name);
    } else if (item.type === 'tool_result') {
      const name = open.get(item.callId);
      if (name === undefined)
        problems.push(`${at}: a result for ${item.callId}, which is not open`);
      else if (!isOwnResult(name, item)) problems.push(`${at}: ${name} has "${item.summary}"`);
      open.delete(item.callId);
    } else if (item.type === 'message' && open.size > 0) {
      if (item.role === 'user') problems.push(`${at}: an input before ${[...open.keys()].join()}`);
    }
  }
  for (const [callId, name] of open) problems.push(`${name} ${callId} has no result`);
  return problems;
}

function isOwnResult(name: string, { summary, isError }: ToolResultItem): boolean {
  if (summary === INTERRUPTED) return isError === true;
  const begins = { Read: /^Read |does not exist$/, Edit: /^Edited /, Write: /^Created / }[name];
  return begins?.test(summary) === true;
}

function textOf(item: Extract<Item, { type: 'message' }>): string {
  return item.content.map((part) => (part.type === 'text' ? part.text : part.refusal)).join('');
}

/** Pages through the whole history. */
export async function askTestimony(client: WireClient): Promise<Testimony> {
  const items: Item[] = [];
  for (let from: number | undefined = 0; from !== undefined; ) {
    const page: Record<string, unknown> = await client.call('GetHistory', { from });
    items.push(...(page['items'] as Item[]));
    from = page['next'] as number | undefined;
  }
  return { items, status: await client.call('GetStatus') };
}
