import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { Cancelled } from '../../daemon/core/cancel.ts';
import { Fault } from '../../daemon/core/fault.ts';
import type { Model, ModelEvent, ModelRequest } from '../../daemon/ports/model.ts';
import type { Item } from '../../protocol/items.ts';
import { user } from '../support/items.ts';
import { deadline } from '../support/slowness.ts';

/** What the suite asks a model to do; an adapter brings models that do it. */
export type ModelScenarios = {
  /** Answers with reasoning, with `ANSWER_TEXT` in several pieces, and with two calls of `Read`. */
  readonly answering: () => Model;
  /** Begins to answer and then says nothing for longer than a test may take. */
  readonly silent: () => Model;
  /** Refuses the request with a status that is worth another try, and one that is not. */
  readonly failing: (status: 503 | 400) => Model;
  /** Breaks off in the middle of a text. */
  readonly breaking: () => Model;
};

export const ANSWER_TEXT = 'Grüße, 日本 🎉 and more';

/** Every model passes this, or it is not one. */
export function modelContract(name: string, scenarios: ModelScenarios): void {
  describe(`Model contract: ${name}`, () => {
    test('PROV-1: blocks are started once, get their pieces, end once, and are numbered from 0', async () => {
      const events = await collect(scenarios.answering(), ask('go'));
      const open = new Set<number>();
      let started = 0;
      for (const event of events) {
        if (event.kind === 'usage' || event.kind === 'stopped') continue;
        if (event.kind === 'delta') expect(open.has(event.block)).toBe(true);
        else if (event.kind === 'blockEnded') expect(open.delete(event.block)).toBe(true);
        else {
          expect(event.block).toBe(started);
          started += 1;
          open.add(event.block);
        }
      }
      expect(started).toBe(4);
      expect(open.size).toBe(0);
    });

    test('PROV-1: pieces join to the whole text, and to arguments that are objects', async () => {
      const events = await collect(scenarios.answering(), ask('go'));
      const text = events.find(({ kind }) => kind === 'textStarted');
      expect(joined(events, blockOf(text))).toBe(ANSWER_TEXT);
      const calls = events.filter((event) => event.kind === 'callStarted');
      expect(calls.map((call) => call.name)).toEqual(['Read', 'Read']);
      for (const call of calls)
        expect(typeof JSON.parse(joined(events, call.block))).toBe('object');
      expect(new Set(calls.map(({ callId }) => callId)).size).toBe(2);
      const deltas = events.filter((event) => event.kind === 'delta');
      expect(deltas.length).toBeGreaterThan(4);
      for (const { text: piece } of deltas) expect(/\p{Surrogate}/u.test(piece)).toBe(false);
    });

    test('PROV-1 PROV-2: usage is told, and the last event is `stopped` with its reason', async () => {
      const events = await collect(scenarios.answering(), ask('go'));
      const usage = events.filter((event) => event.kind === 'usage').at(-1)?.usage;
      expect(usage?.inputTotal).toBeGreaterThan(0);
      expect(usage?.output).toBeGreaterThan(0);
      expect((usage?.cacheRead ?? 0) + (usage?.cacheWrite ?? 0)).toBeLessThanOrEqual(
        usage?.inputTotal ?? 0,
      );
      expect(events.at(-1)).toEqual({ kind: 'stopped', reason: 'tool_calls' });
      expect(events.filter(({ kind }) => kind === 'stopped')).toHaveLength(1);
    });

    test('PROV-5: an abort while it is silent ends the stream with its reason within 100 ms', async () => {
      const controller = new AbortController();
      const reason = new Cancelled({ kind: 'client' });
      const events: ModelEvent[] = [];
      let abortedAt = 0;
      const timer = setTimeout(() => {
        abortedAt = performance.now();
        controller.abort(reason);
      }, 50);
      const end = await outcomeOf(async () => {
        for await (const event of scenarios.silent().stream(ask('go'), controller.signal))
          events.push(event);
      });
      clearTimeout(timer);
      expect(end).toBe(reason);
      expect(performance.now() - abortedAt).toBeLessThan(deadline(100));
      expect(events.some(({ kind }) => kind === 'stopped')).toBe(false);
      expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    });

    test('PROV-5: a signal that has aborted already lets nothing begin', async () => {
      const reason = new Cancelled({ kind: 'client' });
      const end = await outcomeOf(() =>
        collect(scenarios.answering(), ask('go'), AbortSignal.abort(reason)),
      );
      expect(end).toBe(reason);
    });

    test('PROV-5: a whole answer leaves no listener on its signal', async () => {
      const controller = new AbortController();
      await collect(scenarios.answering(), ask('go'), controller.signal);
      expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
    });

    test.each([
      [503, true],
      [400, false],
    ] as const)(
      'PROV-4: status %d is a provider_error, retryable: %s',
      async (status, retryable) => {
        const end = await outcomeOf(() => collect(scenarios.failing(status), ask('go')));
        expect(end).toBeInstanceOf(Fault);
        expect(end).toMatchObject({ code: 'provider_error', data: { status, retryable } });
      },
    );

    test('PROV-9: an answer that breaks off is a retryable provider_error, never a finished answer', async () => {
      const events: ModelEvent[] = [];
      const end = await outcomeOf(async () => {
        const signal = new AbortController().signal;
        for await (const event of scenarios.breaking().stream(ask('go'), signal))
          events.push(event);
      });
      expect(end).toMatchObject({ code: 'provider_error', data: { retryable: true } });
      expect(events.some(({ kind }) => kind === 'delta')).toBe(true);
      expect(events.some(({ kind }) => kind === 'stopped')).toBe(false);
    });
  });
}

export function ask(text: string, history: readonly Item[] = []): ModelRequest {
  return { systemPrompt: 'be brief', tools: [], items: [...history, user(text)] };
}

export async function collect(
  model: Model,
  request: ModelRequest,
  signal: AbortSignal = new AbortController().signal,
): Promise<ModelEvent[]> {
  const events: ModelEvent[] = [];
  for await (const event of model.stream(request, signal)) events.push(event);
  return events;
}

/** What was thrown; undefined if nothing was. */
export async function outcomeOf(work: () => Promise<unknown>): Promise<unknown> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error;
  }
}

function blockOf(event: ModelEvent | undefined): number {
  return event !== undefined && 'block' in event ? event.block : -1;
}

function joined(events: readonly ModelEvent[], block: number): string {
  return events
    .map((event) => (event.kind === 'delta' && event.block === block ? event.text : ''))
    .join('');
}
