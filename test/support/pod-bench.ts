import * as v from 'valibot';
import type { Delta, Numbered } from '../../protocol/events.ts';
import type { Item } from '../../protocol/items.ts';
import { Cancelled } from '../../daemon/core/cancel.ts';
import { NO_COMPACTION_SECTION } from '../../daemon/core/compaction-settings.ts';
import { runId, sessionId } from '../../daemon/core/ids.ts';
import type { ToolBox } from '../../daemon/worker/worker-ports.ts';
import { ok } from '../../daemon/core/result.ts';
import type { SessionEntry } from '../../daemon/core/entry.ts';
import { Pod } from '../../daemon/pod/pod.ts';
import type { PodParts } from '../../daemon/pod/pod-parts.ts';
import type { Files } from '../../daemon/ports/files.ts';
import type { Batch } from '../../daemon/ports/journal.ts';
import type { Model, ModelEvent, ModelRequest } from '../../daemon/ports/model.ts';
import type { Tool, ToolOutcome, ToolPorts } from '../../daemon/ports/tool.ts';
import type { KeyValueStore } from '../../daemon/session/store.ts';
import { MemoryDisk } from './memory-store.ts';
import { SILENT, tempJournal } from './temp-journal.ts';

/** An answer of the bench's model: its events, or what it does. */
export type BenchAnswer =
  | readonly ModelEvent[]
  | ((request: ModelRequest, signal: AbortSignal) => AsyncIterable<ModelEvent>);

const USAGE: ModelEvent = {
  kind: 'usage',
  usage: { inputTotal: 10, cacheRead: 4, cacheWrite: 0, output: 2 },
};

export function says(text: string): ModelEvent[] {
  return [
    { kind: 'textStarted', block: 0 },
    { kind: 'delta', block: 0, text },
    { kind: 'blockEnded', block: 0 },
    USAGE,
    { kind: 'stopped', reason: 'end' },
  ];
}

export function calls(...all: readonly (readonly [name: string, args: object])[]): ModelEvent[] {
  const blocks = all.flatMap(([name, args], block): ModelEvent[] => [
    { kind: 'callStarted', block, callId: `c${block + 1}`, name },
    { kind: 'delta', block, text: JSON.stringify(args) },
    { kind: 'blockEnded', block },
  ]);
  return [...blocks, USAGE, { kind: 'stopped', reason: 'tool_calls' }];
}

/** Says `text`, then nothing more until it is aborted. */
export function stalls(text: string): BenchAnswer {
  return async function* (_request, signal) {
    yield { kind: 'textStarted', block: 0 };
    yield { kind: 'delta', block: 0, text };
    await aborted(signal);
  };
}

/** Rejects with the signal's reason, as a port that was told to stop does. */
export async function aborted(signal: AbortSignal): Promise<never> {
  return await new Promise<never>((_resolve, reject) => {
    const stop = (): void => {
      reject(signal.reason instanceof Error ? signal.reason : new Cancelled({ kind: 'client' }));
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

const AnyArgs = v.looseObject({ path: v.optional(v.string()) });

/** A tool that touches the file `path`, if it is given one. */
export function tool(
  name: string,
  run: (
    args: Record<string, unknown>,
    ports: ToolPorts,
    signal: AbortSignal,
  ) => Promise<ToolOutcome>,
): Tool {
  return {
    name,
    description: name,
    schema: AnyArgs,
    effect: 'files',
    accesses: ({ path }: { path?: string | undefined }) =>
      path === undefined ? [] : [{ path, need: 'write' }],
    run: (args: Record<string, unknown>, ports, signal) => run(args, ports, signal),
  };
}

export function toolBox(tools: readonly Tool[], contentBytesMax = 1000): ToolBox {
  const sorted = tools.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return {
    definitions: sorted.map(({ name, description }) => ({
      name,
      description,
      parameters: { type: 'object' },
    })),
    find: (name) => tools.find((one) => one.name === name),
    contentBytesMax: () => contentBytesMax,
  };
}

export type Bench = AsyncDisposable & {
  readonly pod: Pod;
  readonly served: Promise<void>;
  readonly published: readonly Numbered[];
  readonly deltas: readonly Delta[];
  readonly requests: readonly ModelRequest[];
  readonly batches: readonly Batch[];
  readonly items: () => readonly Item[];
  readonly entries: () => readonly SessionEntry[];
};

/** A Pod on memory: the real loop, Worker and journal; model, tools and files are the test's. */
export async function podBench(options: {
  readonly answers: readonly BenchAnswer[];
  readonly tools?: readonly Tool[];
  readonly store?: KeyValueStore;
  readonly maxTurns?: number;
  /** Of one request; none by default. */
  readonly retries?: number;
  readonly deniedPath?: string;
  readonly fence?: () => 'held' | 'lost';
  readonly parts?: Partial<PodParts>;
}): Promise<Bench> {
  const journal = await tempJournal(options.store ?? new MemoryDisk().open());
  const batches: Batch[] = [];
  const stored: SessionEntry[] = [];
  const requests: ModelRequest[] = [];
  const deltas: Delta[] = [];
  const model: Model = {
    provider: 'bench',
    model: 'bench-1',
    stream: async function* (request, signal) {
      const answer = options.answers[requests.length];
      requests.push(request);
      if (answer === undefined) throw new TypeError('the bench has no such answer');
      if (typeof answer === 'function') yield* answer(request, signal);
      else yield* answer;
    },
  };
  const tools = options.tools ?? [];
  const rules = {
    allow: [{ target: '/', permission: 'write' as const, recursive: true }],
    deny: [],
  };
  let runs = 0;
  let notes = 0;
  let sessions = 0;
  const pod = new Pod({
    name: 'bench',
    version: '0',
    epoch: journal.state().epoch,
    cwd: '/',
    journal: {
      ...journal,
      commit: async (batch) => {
        batches.push(batch);
        await journal.commit(batch);
        stored.push(...(batch.session ?? []));
      },
    },
    model,
    retries: { max: options.retries ?? 0, random: () => 0 },
    files: { identify: (path: string) => Promise.resolve(path) } as Files,
    spool: { keep: () => Promise.resolve(ok({ path: '/spool/1-Tool', bytesGone: 0 })) },
    scope: {
      permissionOf: (path) => (path === options.deniedPath ? 'read' : 'write'),
      own: () => rules,
      delegated: () => ({ allow: [], deny: [] }),
      effective: () => rules,
      parent: () => null,
      children: () => [],
      fence: () => Promise.resolve(options.fence?.() ?? 'held'),
    },
    tools: () => Promise.resolve(toolBox(tools)),
    config: {
      provider: { kind: 'bench', model: 'bench-1' },
      tools: tools.map(({ name }) => name),
      maxTurns: options.maxTurns ?? null,
      scope: rules,
    },
    renderSystemPrompt: () => Promise.resolve('be good'),
    compaction: {
      settings: NO_COMPACTION_SECTION,
      model: null,
      retries: { max: 0, random: () => 0 },
      toToolBox: (all) => Promise.resolve(toolBox(all)),
      readTool: tool('Read', () => Promise.resolve({ summary: 'read' })),
    },
    newSessionId: () => {
      sessions += 1;
      return sessionId(`0190aaaa-0000-7000-8000-${String(sessions + 1).padStart(12, '0')}`);
    },
    newNoteId: () => {
      notes += 1;
      return `note-${notes}`;
    },
    notifications: 'history',
    newRunId: () => {
      runs += 1;
      return runId(`run-${runs}`);
    },
    showDelta: (delta) => deltas.push(delta),
    clock: { now: () => 1_000 },
    log: SILENT,
    process: { pid: 1, rssBytes: () => 0, uptimeMs: () => 0 },
    ...options.parts,
  });
  const served = pod.serve();
  served.catch(() => undefined);
  return {
    pod,
    served,
    deltas,
    requests,
    batches,
    published: journal.published,
    items: () => journal.session().items,
    entries: () => stored,
    [Symbol.asyncDispose]: async () => {
      await Promise.race([pod.stop('signal', 'now', 0), served.catch(() => undefined)]);
      await served.catch(() => undefined);
      await journal[Symbol.asyncDispose]();
    },
  };
}
