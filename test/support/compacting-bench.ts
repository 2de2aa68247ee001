import type { Numbered } from '../../protocol/events.ts';
import { NO_COMPACTION_SECTION } from '../../daemon/core/compaction-settings.ts';
import type { CompactionSettings } from '../../daemon/core/compaction-settings.ts';
import type { PodParts } from '../../daemon/pod/pod-parts.ts';
import type { Model, ModelEvent, ModelRequest } from '../../daemon/ports/model.ts';
import type { KeyValueStore } from '../../daemon/session/store.ts';
import { type Bench, type BenchAnswer, podBench, tool, toolBox } from './pod-bench.ts';

/** A whole answer, at so many tokens of input. */
export function answers(text: string, inputTotal = 0): ModelEvent[] {
  return [
    { kind: 'textStarted', block: 0 },
    { kind: 'delta', block: 0, text },
    { kind: 'blockEnded', block: 0 },
    { kind: 'usage', usage: { inputTotal, cacheRead: 0, cacheWrite: 0, output: 2 } },
    { kind: 'stopped', reason: 'end' },
  ];
}

let calls = 0;

export function asks(name: string, args: object, inputTotal = 0): ModelEvent[] {
  calls += 1;
  return [
    { kind: 'callStarted', block: 0, callId: `call-${calls}`, name },
    { kind: 'delta', block: 0, text: JSON.stringify(args) },
    { kind: 'blockEnded', block: 0 },
    { kind: 'usage', usage: { inputTotal, cacheRead: 0, cacheWrite: 0, output: 2 } },
    { kind: 'stopped', reason: 'tool_calls' },
  ];
}

export const SUMMARY = [
  '## Completed Tasks\n- all of it',
  '## Active Task\nnone',
  '## Key Decisions\n- none',
  '## User Directives\n- Be kind.',
  '## Current Work\nnothing',
].join('\n\n');

export const writesSummary = (text = SUMMARY): ModelEvent[] => asks('write_summary', { text });

/** Events of one kind, as they were published. */
export function told(bench: CompactingBench, name: Numbered['event']): unknown[] {
  return bench.published.filter(({ event }) => event === name).map(({ data }) => data);
}

/** Of each request's bytes a quarter are tokens, as the server counts. */
function counted(request: ModelRequest): number {
  const { systemPrompt, tools, items } = request;
  const bytes = items.reduce((sum, item) => sum + JSON.stringify(item).length, 0);
  return Math.ceil((systemPrompt.length + JSON.stringify(tools).length + bytes) / 4);
}

export type CompactingBench = Bench & {
  /** What the compactor was sent. */
  readonly compactorRequests: readonly ModelRequest[];
};

/** A Pod that compacts: `compactor` are its compactor's answers, in a model of its own. Tokens are counted by bytes. */
export async function compactingPod(options: {
  readonly answers: readonly BenchAnswer[];
  readonly compactor: readonly BenchAnswer[];
  readonly settings?: Partial<CompactionSettings>;
  readonly store?: KeyValueStore;
  readonly parts?: Partial<PodParts>;
  readonly contextWindow?: number;
}): Promise<CompactingBench> {
  const compactorRequests: ModelRequest[] = [];
  const requests: ModelRequest[] = [];
  const model = play('bench', options.answers, requests);
  const compactor = play('compactor', options.compactor, compactorRequests);
  const { contextWindow } = options;
  const bench = await podBench({
    answers: [],
    ...(options.store === undefined ? {} : { store: options.store }),
    parts: {
      tools: () => Promise.resolve(toolBox([FILL], 16_000)),
      model: { ...model, ...(contextWindow === undefined ? {} : { contextWindow }) },
      compaction: {
        settings: { ...NO_COMPACTION_SECTION, retainedTokens: 200, ...options.settings },
        model: compactor,
        retries: { max: 0, random: () => 0 },
        toToolBox: (tools) => Promise.resolve(toolBox(tools, 16_000)),
        readTool: tool('Read', () => Promise.resolve({ summary: 'read' })),
      },
      ...options.parts,
    },
  });
  return Object.assign(bench, { requests, compactorRequests });
}

const FILL = tool('Fill', (args) => Promise.resolve({ summary: 'filled', content: filling(args) }));

function filling({ bytes }: Record<string, unknown>): string {
  return 'x'.repeat(Number(bytes));
}

function play(name: string, all: readonly BenchAnswer[], requests: ModelRequest[]): Model {
  return {
    provider: name,
    model: `${name}-1`,
    stream: async function* (request, signal) {
      const answer = all[requests.length];
      requests.push({ ...request, items: [...request.items] });
      if (answer === undefined) throw new TypeError(`${name} has no such answer`);
      const events = typeof answer === 'function' ? answer(request, signal) : answer;
      for await (const event of events)
        yield event.kind === 'usage' && event.usage.inputTotal === 0
          ? { ...event, usage: { ...event.usage, inputTotal: counted(request) } }
          : event;
    },
  };
}
