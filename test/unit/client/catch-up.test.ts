import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CatchUp, type Position, type StreamedEvent } from '../../../client/catch-up.ts';
import type { PodEvent } from '../../../client/pod-client.ts';
import { EventHub, type Subscriber } from '../../../daemon/rpc/event-hub.ts';
import type { PodEventBody } from '../../../protocol/events.ts';
import type { InFlight, Reply } from '../../../protocol/methods.ts';
import { delta, runEnd, runStart } from '../../support/pod-events.ts';

function answer(changes: Partial<Reply<'Subscribe'>> = {}): Reply<'Subscribe'> {
  return {
    epoch: 1,
    seq: 0,
    missed: 0,
    reset: false,
    state: 'idle',
    inFlight: [],
    approvals: [],
    notices: [],
    ...changes,
  };
}

function at(seq: number, body: PodEventBody, epoch = 1): PodEvent {
  return { epoch, seq, ts: 0, ...body };
}

function piece(text: string, changes: Partial<InFlight> = {}): InFlight {
  return { block: 1, kind: 'text', offset: 0, text, ...changes };
}

const now = (): number => 0;
const startOf = (callId: string, name: string): PodEventBody => ({
  event: 'tool_call_start',
  data: { block: 2, callId, name },
});

describe('CatchUp', () => {
  test('PROTO-10: what was streamed before the first connection comes as a delta from 0', () => {
    const catchUp = new CatchUp({ now });
    expect(catchUp.subscribed(answer({ seq: 4, inFlight: [piece('half a ')] }))).toEqual([
      at(4, delta(1, 0, 'half a ')),
    ]);
    expect(catchUp.take(at(4, delta(1, 7, 'line')))).toEqual([at(4, delta(1, 7, 'line'))]);
    expect(catchUp.position).toEqual({ epoch: 1, seq: 4 });
  });

  test('PROTO-10: after a reconnect only what the consumer lacks comes, behind the replay', () => {
    const catchUp = new CatchUp({ now });
    catchUp.subscribed(answer({ seq: 4 }));
    catchUp.take(at(4, delta(1, 0, 'one ')));
    const inFlight = [
      piece('one two '),
      piece('{"a":', { kind: 'tool_call', block: 2, callId: 'c', name: 'Read' }),
    ];
    expect(catchUp.subscribed(answer({ seq: 5, inFlight }))).toEqual([]);
    expect(catchUp.take(at(5, startOf('c', 'Read')))).toEqual([
      at(5, startOf('c', 'Read')),
      at(5, delta(1, 4, 'two ')),
      at(5, {
        event: 'tool_call_args_delta',
        data: { block: 2, callId: 'c', offset: 0, json: '{"a":' },
      }),
    ]);
  });

  test('PROTO-10: a call whose start nobody was told of is started first', () => {
    const catchUp = new CatchUp({ now });
    const inFlight = [piece('', { kind: 'tool_call', block: 2, callId: 'c', name: 'Read' })];
    expect(catchUp.subscribed(answer({ seq: 9, inFlight }))).toEqual([at(9, startOf('c', 'Read'))]);
  });

  test('CLI-1: what is missing is told as a gap, with the notices that were in it', () => {
    const catchUp = new CatchUp({ after: { epoch: 1, seq: 2 }, now });
    const notice = at(4, {
      event: 'notification',
      data: { level: 'warn', source: 'pod', message: 'm' },
    });
    const told = catchUp.subscribed(answer({ seq: 9, missed: 5, notices: [notice] }));
    expect(told).toEqual([
      {
        event: 'gap',
        epoch: 1,
        seq: 7,
        data: { missed: 5, reset: false, after: { epoch: 1, seq: 2 }, upTo: 9 },
      },
      notice,
    ]);
    expect(catchUp.take(at(8, runStart()))).toEqual([at(8, runStart())]);
  });

  test('CLI-1: another epoch is a gap, also when all of it is replayed; old blocks are forgotten', () => {
    const catchUp = new CatchUp({ now });
    catchUp.subscribed(answer({ seq: 7 }));
    catchUp.take(at(7, delta(1, 0, 'old text')));
    const told = catchUp.subscribed(
      answer({ epoch: 2, seq: 1, reset: true, inFlight: [piece('new')] }),
    );
    expect(told).toEqual([
      {
        event: 'gap',
        epoch: 2,
        seq: 0,
        data: { missed: 0, reset: true, after: { epoch: 1, seq: 7 }, upTo: 1 },
      },
    ]);
    expect(catchUp.take(at(1, runStart(), 2))).toEqual([
      at(1, runStart(), 2),
      at(1, delta(1, 0, 'new'), 2),
    ]);
  });

  test('PROTO-10: an event that was told is not told again; a hole within a connection is a gap', () => {
    const catchUp = new CatchUp({ now });
    catchUp.subscribed(answer({ seq: 3 }));
    expect(catchUp.take(at(3, runStart()))).toEqual([]);
    expect(catchUp.take(at(6, runStart()))).toMatchObject([
      { event: 'gap', seq: 5, data: { missed: 2, reset: false } },
      { event: 'run_start', seq: 6 },
    ]);
  });

  test('CLI-1: a filter hides events from the consumer, never a hole; the Pod is asked for all with a number', () => {
    const catchUp = new CatchUp({ events: ['text_delta'], now });
    expect(catchUp.events).toEqual(expect.arrayContaining(['run_end', 'history', 'text_delta']));
    expect(catchUp.events).not.toContain('reasoning_delta');
    catchUp.subscribed(answer({ seq: 3 }));
    expect(catchUp.take(at(4, runStart()))).toEqual([]);
    expect(catchUp.position).toEqual({ epoch: 1, seq: 4 });
    expect(catchUp.take(at(6, runEnd()))).toMatchObject([{ event: 'gap', seq: 5 }]);
    expect(new CatchUp().events).toBeUndefined();
  });

  test('PROTO-10: connections cut anywhere leave the same events and the same text, whatever is in between', () => {
    fc.assert(
      fc.property(fc.array(STEP, { maxLength: 60 }), (steps) => {
        const { whole, joined } = playWithCuts(steps);
        expect(joined.filter(({ event }) => event === 'gap')).toEqual([]);
        expect(numbered(joined)).toEqual(numbered(whole));
        expect(textsOf(joined)).toEqual(textsOf(whole));
      }),
      { numRuns: 500 },
    );
  });
});

const STEP = fc.oneof(
  fc.record({ kind: fc.constant('say' as const), text: fc.string({ minLength: 1, maxLength: 5 }) }),
  fc.record({ kind: fc.constantFrom('end' as const, 'cut' as const, 'back' as const) }),
);
type Step = typeof STEP extends fc.Arbitrary<infer T> ? T : never;

/** Streams through the daemon's own hub to one who watches all along, and to one whose connections are cut. */
function playWithCuts(steps: readonly Step[]): {
  whole: StreamedEvent[];
  joined: StreamedEvent[];
} {
  const hub = new EventHub(1, { now });
  const whole = new Watcher(hub);
  const cut = new Watcher(hub);
  whole.connect();
  cut.connect();
  let block = 1;
  let text = '';
  for (const step of [...steps, { kind: 'back' as const }]) {
    if (step.kind === 'cut') cut.hangUp();
    else if (step.kind === 'back') cut.connect();
    else if (step.kind === 'say') {
      hub.delta({ event: 'text_delta', data: { block, offset: text.length, text: step.text } });
      text += step.text;
    } else {
      hub.publish([{ event: 'text_done', data: { block, text } }]);
      block += 1;
      text = '';
    }
  }
  return { whole: whole.told, joined: cut.told };
}

class Watcher {
  readonly told: StreamedEvent[] = [];
  readonly #hub: EventHub;
  readonly #catchUp = new CatchUp({ now });
  #connection: Subscriber | undefined;

  constructor(hub: EventHub) {
    this.#hub = hub;
  }

  connect(): void {
    if (this.#connection !== undefined) return;
    const connection: Subscriber = {
      unsentBytes: () => 0,
      send: (line) => {
        const { params } = JSON.parse(line.toString()) as { params: PodEvent };
        this.told.push(...this.#catchUp.take(params));
      },
      disconnect: () => undefined,
    };
    this.#connection = connection;
    const after: Position | undefined = this.#catchUp.position;
    const { replay, ...position } = this.#hub.subscribe(connection, { after });
    const inFlight = this.#hub.inFlight();
    this.told.push(...this.#catchUp.subscribed(answer({ ...position, inFlight })));
    for (const line of replay) connection.send(line);
  }

  hangUp(): void {
    if (this.#connection !== undefined) this.#hub.unsubscribe(this.#connection);
    this.#connection = undefined;
  }
}

function numbered(events: readonly StreamedEvent[]): StreamedEvent[] {
  return events.filter(({ event }) => event !== 'text_delta');
}

/** What each block's deltas come to, each at its offset. */
function textsOf(events: readonly StreamedEvent[]): Record<number, string> {
  const texts: Record<number, string> = {};
  const open: Record<number, string> = {};
  for (const event of events) {
    if (event.event === 'text_done') {
      const streamed = open[event.data.block] ?? '';
      expect(event.data.text.startsWith(streamed)).toBe(true);
    }
    if (event.event !== 'text_delta') continue;
    const { block, offset, text } = event.data;
    expect(offset).toBe(open[block]?.length ?? 0);
    open[block] = (open[block] ?? '') + text;
  }
  for (const [block, text] of Object.entries(open))
    if (!events.some((one) => one.event === 'text_done' && one.data.block === Number(block)))
      texts[Number(block)] = text;
  return texts;
}
