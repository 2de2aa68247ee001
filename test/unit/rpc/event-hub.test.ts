import { describe, expect, test } from 'vitest';
import { LIMITS } from '../../../daemon/core/limits.ts';
import { EventHub } from '../../../daemon/rpc/event-hub.ts';
import { HubReader } from '../../support/hub-reader.ts';
import { EPOCH, numbered, textDelta } from '../../support/hub-events.ts';

const CLOCK = { now: () => 1_000 };

function hubWith(events: number): EventHub {
  const hub = new EventHub(EPOCH, CLOCK);
  for (let turn = 1; turn <= events; turn += 1) hub.publish([numbered(turn)]);
  return hub;
}

describe('EventHub', () => {
  test('PROTO-10: seq rises by one with each event but the deltas, which carry the seq before them', () => {
    const hub = hubWith(0);
    const reader = new HubReader();
    hub.subscribe(reader, {});
    hub.publish([numbered(1), numbered(2)]);
    hub.delta(textDelta(0, 'a'));
    hub.delta(textDelta(1, 'b'));
    hub.publish([numbered(3)]);
    expect(reader.seen()).toEqual([
      [1, 'turn_start'],
      [2, 'turn_start'],
      [2, 'text_delta'],
      [2, 'text_delta'],
      [3, 'turn_start'],
    ]);
    expect(reader.params[0]).toEqual({
      epoch: EPOCH,
      seq: 1,
      ts: 1_000,
      event: 'turn_start',
      data: { runId: 'r', turn: 1 },
    });
  });

  test('PROTO-10: after seq n the replay begins at n + 1, without deltas', () => {
    const hub = hubWith(3);
    hub.delta(textDelta(0, 'a'));
    const reader = new HubReader();
    const answer = reader.subscribe(hub, { after: { epoch: EPOCH, seq: 1 } });
    expect(answer).toMatchObject({ epoch: EPOCH, seq: 3, missed: 0, reset: false });
    expect(reader.seen()).toEqual([
      [2, 'turn_start'],
      [3, 'turn_start'],
    ]);
  });

  test('PROTO-10: without after there is no replay, whatever the ring holds', () => {
    const reader = new HubReader();
    expect(reader.subscribe(hubWith(3), {})).toMatchObject({ seq: 3, missed: 0, reset: false });
    expect(reader.seen()).toEqual([]);
  });

  test('PROTO-10: missed counts what the ring has lost', () => {
    const events = LIMITS.ringEvents + 10;
    const reader = new HubReader();
    const answer = reader.subscribe(hubWith(events), { after: { epoch: EPOCH, seq: 3 } });
    // The ring begins at event 11; 4 to 10 are gone.
    expect(answer).toMatchObject({ seq: events, missed: 7, reset: false });
    expect(reader.seen()).toHaveLength(LIMITS.ringEvents);
    expect(reader.seen()[0]?.[0]).toBe(11);
  });

  test.each([
    ['an older epoch', { epoch: EPOCH - 1, seq: 2 }],
    ['a newer epoch', { epoch: EPOCH + 1, seq: 0 }],
    ['a seq that was never given', { epoch: EPOCH, seq: 99 }],
  ])(
    'PROTO-10: after %s the answer says reset, and the replay starts at the oldest',
    (_n, after) => {
      const reader = new HubReader();
      expect(reader.subscribe(hubWith(3), { after })).toMatchObject({ reset: true, missed: 0 });
      expect(reader.seen().map(([seq]) => seq)).toEqual([1, 2, 3]);
    },
  );

  test('PROTO-10: a reset of an empty hub replays nothing', () => {
    const reader = new HubReader();
    const answer = reader.subscribe(hubWith(0), { after: { epoch: 1, seq: 5 } });
    expect(answer).toMatchObject({ seq: 0, missed: 0, reset: true });
    expect(reader.seen()).toEqual([]);
  });

  test('INV-12: the ring holds 8 MiB at most', () => {
    const hub = hubWith(0);
    const text = 'x'.repeat(1024 * 1024);
    for (let block = 1; block <= 20; block += 1)
      hub.publish([{ event: 'text_done', data: { block, text } }]);
    const reader = new HubReader();
    const { missed } = reader.subscribe(hub, { after: { epoch: EPOCH, seq: 0 } });
    // Seven, as each line is a little more than its text.
    expect(reader.seen().map(([seq]) => seq)).toEqual([14, 15, 16, 17, 18, 19, 20]);
    expect(missed).toBe(13);
  });

  test('INV-12: the ring lets go of what it drops', () => {
    const hub = hubWith(0);
    const text = 'x'.repeat(1024 * 1024);
    const before = process.memoryUsage().arrayBuffers;
    for (let block = 1; block <= 400; block += 1)
      hub.publish([{ event: 'text_done', data: { block, text } }]);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200 * 1024 * 1024);
  });

  test('PROTO-10: one event larger than the ring is kept alone', () => {
    const hub = hubWith(5);
    hub.publish([{ event: 'text_done', data: { block: 1, text: 'x'.repeat(LIMITS.ringBytes) } }]);
    const reader = new HubReader();
    expect(reader.subscribe(hub, { after: { epoch: EPOCH, seq: 0 } })).toMatchObject({ missed: 5 });
    expect(reader.seen()).toEqual([[6, 'text_done']]);
  });

  test('PROTO-5: a filter holds for the replay and for what comes; asking again changes it', () => {
    const hub = hubWith(2);
    hub.publish([{ event: 'queue', data: { waiting: 1 } }]);
    const reader = new HubReader();
    reader.subscribe(hub, { after: { epoch: EPOCH, seq: 0 }, events: ['queue'] });
    hub.publish([numbered(3), { event: 'queue', data: { waiting: 2 } }]);
    reader.subscribe(hub, { events: ['turn_start'] });
    hub.publish([numbered(4), { event: 'queue', data: { waiting: 3 } }]);
    expect(reader.seen()).toEqual([
      [3, 'queue'],
      [5, 'queue'],
      [6, 'turn_start'],
    ]);
  });

  test('PROTO-5: after an unsubscribe nothing comes', () => {
    const hub = hubWith(0);
    const reader = new HubReader();
    hub.subscribe(reader, {});
    hub.unsubscribe(reader);
    hub.publish([numbered(1)]);
    hub.delta(textDelta(0, 'a'));
    expect(hub.has(reader)).toBe(false);
    expect(reader.seen()).toEqual([]);
  });

  test('PROTO-12: an event is encoded once for all subscribers', () => {
    const hub = hubWith(0);
    const readers = [new HubReader(), new HubReader(), new HubReader()];
    for (const reader of readers) hub.subscribe(reader, {});
    hub.publish([numbered(1)]);
    const lines = new Set(readers.map(({ lines: [line] }) => line));
    expect(lines.size).toBe(1);
  });

  test('PROTO-12: over 4 MiB unsent, deltas are dropped and counted, the others still come', () => {
    const hub = hubWith(0);
    const slow = new HubReader();
    const quick = new HubReader();
    hub.subscribe(slow, {});
    hub.subscribe(quick, {});
    slow.unsent = LIMITS.unsentDeltaBytes;
    hub.delta(textDelta(0, 'a'));
    slow.unsent += 1;
    hub.delta(textDelta(1, 'b'));
    hub.delta(textDelta(2, 'c'));
    hub.publish([numbered(1)]);
    hub.delta(textDelta(3, 'd'));
    slow.unsent = 0;
    hub.delta(textDelta(4, 'e'));
    expect(slow.params.map(({ event, seq, data }) => [event, seq, data])).toEqual([
      ['text_delta', 0, { block: 1, offset: 0, text: 'a' }],
      // It comes before event 1, so it carries the seq before it: a client that counts loses nothing.
      ['lagged', 0, { missed: 2 }],
      ['turn_start', 1, { runId: 'r', turn: 1 }],
      ['lagged', 1, { missed: 1 }],
      ['text_delta', 1, { block: 1, offset: 4, text: 'e' }],
    ]);
    expect(quick.params.filter(({ event }) => event === 'text_delta')).toHaveLength(5);
  });

  test('PROTO-12: over 32 MiB unsent, that subscriber alone is disconnected', () => {
    const hub = hubWith(0);
    const slow = new HubReader();
    const quick = new HubReader();
    hub.subscribe(slow, {});
    hub.subscribe(quick, {});
    slow.unsent = LIMITS.unsentBytes;
    hub.publish([numbered(1), numbered(2)]);
    expect(slow.disconnected).toBe(1);
    expect(slow.seen()).toEqual([]);
    expect(hub.has(slow)).toBe(false);
    expect(quick.seen()).toHaveLength(2);
  });

  test('PROTO-13: notices come with the answer once: all without after, only those not replayed with it', () => {
    const hub = hubWith(0);
    const notice = (message: string): void => {
      hub.publish([{ event: 'notification', data: { level: 'warn', source: 'pod', message } }]);
    };
    notice('old');
    for (let turn = 0; turn < LIMITS.ringEvents; turn += 1) hub.publish([numbered(turn)]);
    notice('new');
    const told = (after?: { epoch: number; seq: number }): unknown[] => {
      const reader = new HubReader();
      const { notices } = reader.subscribe(hub, { after });
      return [...notices, ...reader.params.filter(({ event }) => event === 'notification')].map(
        ({ data }) => (data as { message: string }).message,
      );
    };
    expect(told()).toEqual(['old', 'new']);
    expect(told({ epoch: EPOCH, seq: 0 })).toEqual(['old', 'new']);
    expect(told({ epoch: EPOCH, seq: 1 })).toEqual(['new']);
    expect(told({ epoch: EPOCH - 1, seq: 9 })).toEqual(['old', 'new']);
    expect(told({ epoch: EPOCH, seq: hub.seq })).toEqual([]);
  });

  test('PROTO-13: the last 512 notices are kept', () => {
    const hub = hubWith(0);
    for (let at = 1; at <= LIMITS.notices + 1; at += 1)
      hub.publish([
        { event: 'notification', data: { level: 'info', source: 'pod', message: `${at}` } },
      ]);
    const { notices } = new HubReader().subscribe(hub, {});
    expect(notices).toHaveLength(LIMITS.notices);
    expect(notices[0]?.data).toMatchObject({ message: '2' });
  });

  test('INV-9: what is in flight joins the deltas that come after it', () => {
    const hub = hubWith(0);
    hub.delta(textDelta(0, 'Hel'));
    const reader = new HubReader();
    reader.subscribe(hub, {});
    const [piece] = hub.inFlight();
    hub.delta(textDelta(3, 'lo'));
    expect(piece).toEqual({ block: 1, kind: 'text', offset: 0, text: 'Hel' });
    expect(reader.params[0]?.data).toMatchObject({ block: 1, offset: 3, text: 'lo' });
  });
});
