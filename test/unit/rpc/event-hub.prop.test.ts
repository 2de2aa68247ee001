import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EventHub } from '../../../daemon/rpc/event-hub.ts';
import { EPOCH, numbered } from '../../support/hub-events.ts';
import { HubReader } from '../../support/hub-reader.ts';

type Step =
  | { readonly kind: 'publish'; readonly count: number }
  | { readonly kind: 'drop' }
  | { readonly kind: 'attach' };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('publish' as const), count: fc.nat({ max: 20 }) }),
  fc.constant({ kind: 'drop' as const }),
  fc.constant({ kind: 'attach' as const }),
);

describe('EventHub', () => {
  test('PROTO-10: a client that comes back with its last seq sees each event once, in order', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const hub = new EventHub(EPOCH, { now: () => 0 });
        const seen: number[] = [];
        let published = 0;
        let reader: HubReader | null = null;
        const leave = (): void => {
          if (reader === null) return;
          seen.push(...reader.params.map(({ seq }) => seq));
          hub.unsubscribe(reader);
          reader = null;
        };
        const attach = (): void => {
          leave();
          reader = new HubReader();
          const after = { epoch: EPOCH, seq: seen.at(-1) ?? 0 };
          expect(reader.subscribe(hub, { after })).toMatchObject({ missed: 0, reset: false });
        };
        for (const one of steps) {
          if (one.kind === 'attach') attach();
          else if (one.kind === 'drop') leave();
          else
            for (let count = 0; count < one.count; count += 1) hub.publish([numbered(++published)]);
        }
        attach();
        leave();
        expect(seen).toEqual(Array.from({ length: published }, (_, index) => index + 1));
      }),
    );
  });

  test('PROTO-10: from any seq, what is missed and what is replayed make up all that came since', () => {
    const hub = new EventHub(EPOCH, { now: () => 0 });
    const published = 6_000;
    for (let turn = 1; turn <= published; turn += 1) hub.publish([numbered(turn)]);
    fc.assert(
      fc.property(fc.nat({ max: published }), (seq) => {
        const reader = new HubReader();
        const { missed } = reader.subscribe(hub, { after: { epoch: EPOCH, seq } });
        expect(missed + reader.lines.length).toBe(published - seq);
      }),
      { numRuns: 30 },
    );
  });
});
