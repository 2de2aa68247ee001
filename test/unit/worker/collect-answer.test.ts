import { describe, expect, test } from 'vitest';
import { LIMITS } from '../../../daemon/core/limits.ts';
import { Fault } from '../../../daemon/core/fault.ts';
import { AnswerBuilder } from '../../../daemon/worker/collect-answer.ts';
import type { ModelEvent } from '../../../daemon/ports/model.ts';

function build(events: readonly ModelEvent[], first = 7): AnswerBuilder {
  let block = first - 1;
  const builder = new AnswerBuilder({ provider: 'p', model: 'm' }, () => (block += 1));
  for (const event of events) builder.take(event);
  return builder;
}

const MIXED: ModelEvent[] = [
  { kind: 'reasoningStarted', block: 0 },
  { kind: 'delta', block: 0, text: 'hm' },
  { kind: 'blockEnded', block: 0, opaque: 'signed' },
  { kind: 'textStarted', block: 1 },
  { kind: 'callStarted', block: 2, callId: 'c', name: 'Read' },
  { kind: 'delta', block: 1, text: 'I ' },
  { kind: 'delta', block: 2, text: '{"a":' },
  { kind: 'delta', block: 1, text: 'look' },
  { kind: 'delta', block: 2, text: '1}' },
  { kind: 'blockEnded', block: 1 },
  { kind: 'blockEnded', block: 2 },
  { kind: 'stopped', reason: 'tool_calls' },
];

describe('AnswerBuilder', () => {
  test('PROV-11 ITEM-1: blocks that interleave become items in the order they began', () => {
    expect(build(MIXED).items()).toEqual([
      { type: 'reasoning', text: 'hm', opaque: { provider: 'p', model: 'm', data: 'signed' } },
      { type: 'message', role: 'assistant', content: [{ type: 'text', text: 'I look' }] },
      { type: 'tool_call', callId: 'c', name: 'Read', arguments: '{"a":1}' },
    ]);
  });

  test('PROTO-11: the whole is told under the numbers of the pieces', () => {
    const builder = build(MIXED);
    expect(builder.blocks()).toEqual([7, 8, 9]);
    expect(builder.doneEvents('all')).toEqual([
      { event: 'reasoning_done', data: { block: 7, text: 'hm' } },
      { event: 'text_done', data: { block: 8, text: 'I look' } },
      {
        event: 'tool_call_done',
        data: { block: 9, callId: 'c', name: 'Read', arguments: '{"a":1}' },
      },
    ]);
  });

  test('PROTO-10: a piece says where it belongs, in UTF-16 units of its block', () => {
    const builder = build([{ kind: 'textStarted', block: 0 }]);
    const show = (text: string): unknown => builder.take({ kind: 'delta', block: 0, text });
    expect(show('a😀')).toMatchObject({ delta: { data: { offset: 0 } } });
    expect(show('b')).toMatchObject({ delta: { data: { offset: 3, block: 7 } } });
  });

  test('ITEM-2: a call without arguments has an empty object, a block without text is no item', () => {
    for (const text of ['', 'null', ' '])
      expect(
        build([
          { kind: 'callStarted', block: 0, callId: 'c', name: 'List' },
          { kind: 'delta', block: 0, text },
          { kind: 'textStarted', block: 1 },
        ]).items(),
      ).toEqual([{ type: 'tool_call', callId: 'c', name: 'List', arguments: '{}' }]);
  });

  test('INV-4: calls that a server gave one id, or none, have ids of their own', () => {
    const started = (block: number, callId: string): ModelEvent => ({
      kind: 'callStarted',
      block,
      callId,
      name: 'Read',
    });
    const ids = build([started(0, 'x'), started(1, 'x'), started(2, ''), started(3, '')])
      .calls()
      .map(({ callId }) => callId);
    expect(ids).toEqual(['x', 'x_2', 'call', 'call_2']);
  });

  test('LOOP-3: of an answer that was cut off the text is kept, marked incomplete; calls and reasoning are not', () => {
    const builder = build(MIXED.slice(0, 7));
    expect(builder.partialItems()).toEqual([
      {
        type: 'message',
        role: 'assistant',
        content: [{ type: 'text', text: 'I ' }],
        status: 'incomplete',
      },
    ]);
    expect(builder.doneEvents('text')).toEqual([
      { event: 'text_done', data: { block: 8, text: 'I ' } },
    ]);
  });

  test('INV-12: an answer over its limit is a failure of the provider, not of the memory', () => {
    const builder = build([{ kind: 'textStarted', block: 0 }]);
    const piece: ModelEvent = { kind: 'delta', block: 0, text: 'x'.repeat(LIMITS.answerUnits / 4) };
    for (let n = 0; n < 4; n += 1) builder.take(piece);
    expect(() => builder.take(piece)).toThrow(/longer than/);
    const many = Array.from(
      { length: LIMITS.answerBlocks },
      (_, block): ModelEvent => ({ kind: 'textStarted', block }),
    );
    expect(() => build([...many, { kind: 'textStarted', block: many.length }])).toThrow(
      /too many blocks/,
    );
  });

  test('PROV-9: events that fit no open block are a malformed stream, not a crash', () => {
    expect(() => build([{ kind: 'delta', block: 3, text: 'x' }])).toThrow(Fault);
    expect(() =>
      build([
        { kind: 'textStarted', block: 0 },
        { kind: 'textStarted', block: 0 },
      ]),
    ).toThrow(Fault);
    expect(() => build([...MIXED, { kind: 'delta', block: 1, text: 'late' }])).toThrow(Fault);
  });
});
