import * as fc from 'fast-check';
import type { Item, ToolResultItem } from '../../protocol/items.ts';
import type { SessionConfig, SessionEntry } from '../../daemon/core/entry.ts';
import { runId, sessionId, type SessionId } from '../../daemon/core/ids.ts';
import { call, result, said, user } from './items.ts';

/** Entries for tests, each with as little as its kind needs. */
export const AT = 1_700_000_000_000;
export const SESSION = sessionId('0190aaaa-0000-7000-8000-000000000001');
export const RUN = runId('run-1');

export const CONFIG: SessionConfig = {
  provider: { kind: 'scripted', model: 'script' },
  tools: ['Read'],
  maxTurns: null,
  scope: { allow: [], deny: [] },
};

export function sessionStart(id: SessionId = SESSION): SessionEntry & { kind: 'session_start' } {
  return {
    kind: 'session_start',
    at: AT,
    version: 1,
    sessionId: id,
    systemPrompt: 'be brief',
    config: CONFIG,
    history: [],
    files: [],
    turnCount: 0,
  };
}

export function runStart(id: string = RUN): SessionEntry {
  return { kind: 'run_start', at: AT, runId: runId(id), trigger: 'run' };
}

export function runEnd(id: string = RUN): SessionEntry {
  return {
    kind: 'run_outcome',
    at: AT,
    runId: runId(id),
    outcome: 'error',
    error: { code: 'internal', message: 'no' },
    interrupted: false,
  };
}

export function input(text: string): SessionEntry {
  return { kind: 'user_input', at: AT, item: user(text) };
}

export function answer(...items: readonly Item[]): SessionEntry {
  return { kind: 'assistant_items', at: AT, items };
}

export function results(...items: readonly ToolResultItem[]): SessionEntry {
  return { kind: 'tool_results', at: AT, items };
}

export function usage(historyLen: number): SessionEntry {
  return {
    kind: 'llm_usage',
    at: AT,
    record: { inputTotal: 10, cacheRead: 0, cacheWrite: 0, output: 5, historyLen, kind: 'run' },
  };
}

type Turn = { readonly text: string; readonly calls: number };
type Run = { readonly input: string; readonly turns: readonly Turn[] };

/** Histories as a Pod stores them: whole runs, each with turns that call tools and get their results. */
export const validHistory: fc.Arbitrary<SessionEntry[]> = fc
  .array(
    fc.record({
      input: fc.string(),
      turns: fc.array(fc.record({ text: fc.string(), calls: fc.nat(3) }), { maxLength: 4 }),
    }),
    { maxLength: 5 },
  )
  .map((runs) => [sessionStart(), ...runs.flatMap(toEntries)]);

function toEntries({ input: asked, turns }: Run, index: number): SessionEntry[] {
  const id = `run-${index}`;
  const entries: SessionEntry[] = [runStart(id), input(asked)];
  turns.forEach((turn, number) => {
    const ids = Array.from({ length: turn.calls }, (_, n) => `call-${index}-${number}-${n}`);
    entries.push(answer(said(turn.text), ...ids.map((id) => call(id))), usage(entries.length));
    for (const callId of ids)
      entries.push({
        kind: 'call_started',
        at: AT,
        callId,
        intent: { kind: 'command', hash: callId },
      });
    if (ids.length > 0) entries.push(results(...ids.map((id) => result(id))));
    entries.push({
      kind: 'turn_end',
      at: AT,
      runId: runId(id),
      turnCount: number + 1,
      stopReason: ids.length > 0 ? 'tool_calls' : 'end',
    });
  });
  return [...entries, runEnd(id)];
}
