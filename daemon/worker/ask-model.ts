import type { Numbered } from '../../protocol/events.ts';
import type { Item, ToolCallItem } from '../../protocol/items.ts';
import type { StopReason, Usage } from '../../protocol/report.ts';
import { Cancelled } from '../core/cancel.ts';
import { isEmptyPart } from '../core/checked-items.ts';
import { type CacheFacts, cacheMiss } from '../core/cache-miss.ts';
import { costOf } from '../core/cost.ts';
import type { SentBytes, SessionEntry, UsageRecord } from '../core/entry.ts';
import { Fault } from '../core/fault.ts';
import { LIMITS } from '../core/limits.ts';
import { checkRequest, constantBytes } from '../core/request-check.ts';
import { retryDelay } from '../core/retry-delay.ts';
import { buildRequestItems } from '../core/request-items.ts';
import type { ModelRequest } from '../ports/model.ts';
import { pause } from '../support/pause.ts';
import { withDeadline } from '../support/with-deadline.ts';
import { AnswerBuilder } from './collect-answer.ts';
import { historyEvent } from './history-event.ts';
import { bytesOf } from './plan-context.ts';
import { notesThatWait, storeNotes } from './tell-notes.ts';
import { shapeFor } from './request-shape.ts';
import { isTooLong } from './too-long.ts';
import { SYNCED, type Unsynced } from './unsynced.ts';
import type { WorkerPorts } from './worker-ports.ts';

export type Answer = {
  readonly calls: readonly ToolCallItem[];
  /** The one among them that the answer's end came upon: what there is of it is not all. */
  readonly cutCall: string | null;
  readonly stopReason: StopReason;
};

/** What of its turn a request has to do with. */
export type AskedTurn = {
  /** Entries and events that belong to the answer's turn, stored together with it. */
  readonly end: (answer: Answer) => {
    readonly entries: readonly SessionEntry[];
    readonly events: readonly Numbered[];
  };
  /** Told of all that is paid for, also where nothing came of it. */
  readonly paid: (usage: Usage) => void;
};

/**
 * One request and its whole answer: built, checked, sent, shown as it comes, stored. An answer with nothing in it is
 * asked for once more. Throws the signal's reason when cancelled, after storing the text that had come.
 */
export async function askModel(
  ports: WorkerPorts,
  unsynced: Unsynced,
  turn: AskedTurn,
  signal: AbortSignal,
): Promise<Answer> {
  const failed = { empty: 0, broken: 0 };
  for (let attempt = 1; ; attempt += 1) {
    // Once the first attempt is over the results are on disk, and so in the history.
    const answer = await askOnce(ports, attempt === 1 ? unsynced : SYNCED, turn, signal);
    if (answer.kind === 'whole') return answer;
    failed[answer.kind] += 1;
    const delayMs = answer.kind === 'empty' ? 0 : delayAfter(ports, answer.fault, failed.broken);
    if (delayMs === null || failed.empty >= LIMITS.emptyAnswers) throw answer.fault;
    const data = { attempt, delayMs, ...reasonOf(answer.fault), discarded: answer.discarded };
    await ports.journal.commit({ events: [{ event: 'retry', data }] });
    await ports.moved({ kind: 'answerRetried' });
    ports.log.info('a model request is sent again', { attempt, delayMs, err: answer.fault });
    await pause(delayMs, signal);
  }
}

/** Null: it is not sent again. */
function delayAfter({ retries }: WorkerPorts, fault: Fault, failures: number): number | null {
  if (failures > retries.max) return null;
  const { retryAfterMs } = fault.data;
  const asked = typeof retryAfterMs === 'number' ? retryAfterMs : null;
  return retryDelay(failures, asked, retries.random());
}

function reasonOf({ data }: Fault): { readonly reason: string; readonly status?: number } {
  const { reason, status } = data;
  if (typeof status === 'number')
    return { reason: typeof reason === 'string' ? reason : `status ${status}`, status };
  return { reason: typeof reason === 'string' ? reason : 'provider_error' };
}

/** Nothing of it counts, and the blocks that showed it are to be dropped. */
type Discarded = {
  /** `broken`: it may be otherwise next time. */
  readonly kind: 'empty' | 'broken';
  readonly fault: Fault;
  readonly discarded: number[];
};

async function askOnce(
  ports: WorkerPorts,
  unsynced: Unsynced,
  turn: AskedTurn,
  signal: AbortSignal,
): Promise<({ readonly kind: 'whole' } & Answer) | Discarded> {
  const { model, journal } = ports;
  const notes = notesThatWait(ports);
  if (notes.items.length > 0 && ports.notifications === 'history') {
    await storeNotes(ports, notes, unsynced);
    return await askOnce(ports, SYNCED, turn, signal);
  }
  // From the look at the journal to here nothing was awaited: what is unsynced is not in the history yet.
  const { request, sent, facts } = buildRequest(ports, unsynced.items, notes.items);
  const passed = await ports.gate.request(request);
  if (passed.kind === 'denied') throw new Fault('budget_exceeded', passed.reason);
  const builder = new AnswerBuilder(model, ports.nextBlock);
  const historyLen = journal.session().items.length + unsynced.items.length;
  const toRecord = (kind: UsageRecord['kind']): UsageRecord => {
    const costUsd = costOf(builder.usage, model.prices);
    const miss = kind === 'run' ? cacheMiss(builder.usage, facts) : null;
    return {
      ...builder.usage,
      historyLen,
      kind,
      model: model.model,
      sent,
      ...(costUsd === null ? {} : { costUsd }),
      ...(miss === null ? {} : { miss }),
    };
  };
  try {
    await receive(ports, passed.passed, unsynced, builder, signal);
  } catch (error) {
    await unsynced.durable;
    turn.paid(builder.usage);
    if (signal.aborted) await keepPartial(ports, builder, toRecord);
    else {
      await recordPaid(ports, builder, toRecord);
      if (mayPass(error)) return broken(builder, error);
      if (isTooLong(error) && ports.context.mayYieldTooLong())
        await takeBack(ports, builder, error);
    }
    throw error;
  }
  const items = builder.items();
  const { usage, stopReason } = builder;
  turn.paid(usage);
  if (stopReason === null) {
    await recordPaid(ports, builder, toRecord);
    return broken(builder, brokenOff());
  }
  const record = toRecord('run');
  const at = ports.clock.now();
  if (!items.some(saysSomething)) {
    const data = { reason: 'empty_answer', stopReason };
    const fault = new Fault('provider_error', EMPTY[stopReason], { data });
    await recordPaid(ports, builder, toRecord);
    return { ...broken(builder, fault), kind: 'empty' };
  }
  const answer = {
    kind: 'whole' as const,
    calls: builder.calls(),
    cutCall: builder.cutCall(),
    stopReason,
  };
  const end = turn.end(answer);
  await journal.commit({
    session: [
      { kind: 'assistant_items', at, items },
      { kind: 'llm_usage', at, record },
      ...end.entries,
    ],
    journal: notes.taken,
    events: [
      ...builder.doneEvents('all'),
      historyEvent(journal.session(), items),
      usageEvent(record),
      ...end.events,
    ],
  });
  return answer;
}

type ToRecord = (kind: UsageRecord['kind']) => UsageRecord;

/** Blanks alone are no answer, and could not go back to a provider. */
function saysSomething(item: Item): boolean {
  return item.type === 'message' ? !item.content.every(isEmptyPart) : item.type === 'tool_call';
}

const NOTHING_SAID = 'the model answered with neither text nor tool calls';

/** By why the model stopped. */
const EMPTY: Readonly<Record<StopReason, string>> = {
  end: NOTHING_SAID,
  tool_calls: NOTHING_SAID,
  max_tokens: `${NOTHING_SAID}: the limit of tokens (worker.max_tokens) came first`,
  refusal: `${NOTHING_SAID}: it declined`,
  content_filter: `${NOTHING_SAID}: the provider's filter took them`,
};

function mayPass(error: unknown): error is Fault {
  return (
    error instanceof Fault && error.code === 'provider_error' && error.data['retryable'] === true
  );
}

function brokenOff(): Fault {
  return new Fault('provider_error', 'the answer broke off before its end', {
    data: { reason: 'no_terminal_event', retryable: true },
  });
}

function broken(builder: AnswerBuilder, fault: Fault): Discarded {
  return { kind: 'broken', fault, discarded: builder.blocks() };
}

/** It is paid for all the same, as far as it was told. */
async function recordPaid(
  { journal, clock }: WorkerPorts,
  builder: AnswerBuilder,
  toRecord: ToRecord,
): Promise<void> {
  const session = paidEntries(builder, toRecord, clock.now());
  if (session.length > 0) await journal.commit({ session });
}

/** The request is sent anew when its context is smaller: what was shown of its answer is none. */
async function takeBack(
  { journal, moved }: WorkerPorts,
  builder: AnswerBuilder,
  fault: Fault,
): Promise<void> {
  const data = { attempt: 1, delayMs: 0, ...reasonOf(fault), discarded: builder.blocks() };
  await journal.commit({ events: [{ event: 'retry', data }] });
  await moved({ kind: 'answerRetried' });
}

function paidEntries(
  { usage, stopReason }: AnswerBuilder,
  toRecord: ToRecord,
  at: number,
): SessionEntry[] {
  if (usage.inputTotal + usage.output === 0 && stopReason === null) return [];
  return [{ kind: 'llm_usage', at, record: toRecord('discarded') }];
}

type BuiltRequest = {
  readonly request: ModelRequest;
  readonly sent: SentBytes;
  readonly facts: CacheFacts;
};

function buildRequest(
  ports: WorkerPorts,
  unsynced: readonly Item[],
  passing: readonly Item[],
): BuiltRequest {
  const { context, checks, tools } = ports;
  const session = ports.journal.session();
  const { sizes, pruneMark } = session;
  // Only one that was moved since the last request of this process and session has an old place.
  const before = Math.min(context.pruned.mark ?? pruneMark, pruneMark);
  const kept = context.pruned.of(session.items, pruneMark);
  const more = unsynced.length + passing.length;
  const history = more === 0 ? kept : [...kept, ...unsynced, ...passing];
  const shape = shapeFor(ports.model);
  const { sampling } = context;
  const request = {
    // A template can cut a character in two.
    systemPrompt: session.systemPrompt.toWellFormed(),
    tools: tools.definitions,
    items: buildRequestItems(history, shape, checks.built),
    passing: passing.length,
    ...(pruneMark === 0 ? {} : { pruned: { before, now: pruneMark } }),
    ...(sampling === undefined ? {} : { sampling }),
  };
  const sent = {
    constant: constantBytes(request),
    items: sizes.bytesAt(sizes.length, pruneMark) + bytesOf(unsynced),
    passing: bytesOf(passing),
  };
  const facts = {
    previous: session.usageRecords.findLast(({ kind }) => kind === 'run') ?? null,
    isCompacted: session.compactedFrom !== null,
    sizes,
    pruneMark,
    model: ports.model.model,
    constant: sent.constant,
    changedAt: checks.sent.firstChange(request.items),
  };
  const checked = checkRequest(request, shape, checks.sent, sent.constant);
  if (!checked.ok)
    throw new Fault('provider_error', `the request can't be sent: ${checked.error.join('; ')}`, {
      data: { reason: 'invalid_request', retryable: false },
    });
  return { request, sent, facts };
}

function usageEvent({ costUsd, miss, ...record }: UsageRecord): Numbered {
  const { inputTotal, cacheRead, cacheWrite, output } = record;
  return {
    event: 'usage',
    data: {
      inputTotal,
      cacheRead,
      cacheWrite,
      output,
      ...(costUsd === undefined ? {} : { costUsd }),
      cache: { hit: cacheRead, ...(miss === undefined ? {} : { reason: miss }) },
    },
  };
}

async function receive(
  ports: WorkerPorts,
  request: ModelRequest,
  unsynced: Unsynced,
  builder: AnswerBuilder,
  signal: AbortSignal,
): Promise<void> {
  const limit = { what: 'the model request', ms: LIMITS.requestTotalMs };
  const end = ports.activity.begin({ kind: 'request', id: ports.model.model });
  try {
    await withDeadline(signal, limit, async (within) => {
      let began = false;
      let events = 0;
      for await (const event of ports.model.stream(request, within)) {
        events += 1;
        // What came in one piece is taken in one go; clients, and whoever cancels, come in between.
        if (events % LIMITS.answerEventsAtOnce === 0) await pause(0, within);
        if (!began) {
          // From here on the answer is used, so what it rests on has to be on disk.
          await unsynced.durable;
          await ports.moved({ kind: 'answerBegan' });
          began = true;
        }
        const shown = builder.take(event);
        if (shown?.kind === 'delta') ports.showDelta(shown.delta);
        else if (shown?.kind === 'event') await ports.journal.commit({ events: [shown.event] });
      }
      within.throwIfAborted();
      if (!began) await ports.moved({ kind: 'answerBegan' });
      await unsynced.durable;
    });
  } catch (error) {
    if (error instanceof Cancelled && error.why.kind === 'deadline' && !signal.aborted)
      throw new Fault('provider_error', error.message, {
        cause: error,
        data: { reason: 'deadline', retryable: true },
      });
    throw error;
  } finally {
    end();
  }
}

async function keepPartial(
  ports: WorkerPorts,
  builder: AnswerBuilder,
  toRecord: ToRecord,
): Promise<void> {
  const items = builder.partialItems();
  const at = ports.clock.now();
  const paid = paidEntries(builder, toRecord, at);
  if (items.length === 0) {
    if (paid.length > 0) await ports.journal.commit({ session: paid });
    return;
  }
  await ports.journal.commit({
    session: [{ kind: 'assistant_items', at, items }, ...paid],
    events: [...builder.doneEvents('text'), historyEvent(ports.journal.session(), items)],
  });
}
