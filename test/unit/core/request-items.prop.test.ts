import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CheckedItems, type RequestShape } from '../../../daemon/core/checked-items.ts';
import { checkRequest } from '../../../daemon/core/request-check.ts';
import { buildRequestItems } from '../../../daemon/core/request-items.ts';
import type { Item } from '../../../protocol/items.ts';
import { anyHistory, anyItem } from '../../support/any-history.ts';

const shape: fc.Arbitrary<RequestShape> = fc.record(
  {
    provider: fc.constant('p'),
    model: fc.constant('m'),
    userFirst: fc.boolean(),
    userLast: fc.boolean(),
    mergeRoles: fc.boolean(),
  },
  { requiredKeys: ['provider', 'model'] },
);
const RUNS = { numRuns: 1_000 };

function userTexts(items: readonly Item[]): string[] {
  return items
    .flatMap((one) => (one.type === 'message' && one.role === 'user' ? one.content : []))
    .map((one) => (one.type === 'text' ? one.text : one.refusal))
    .filter((one) => one.trim() !== '')
    .map((one) => one.toWellFormed());
}

/** Nothing a user says here begins with a bracket; what the builder adds does. */
function isAdded(one: string): boolean {
  return one.startsWith('[');
}

test('ITEM-2 INV-5: what the builder makes of any history passes the check', () => {
  fc.assert(
    fc.property(anyHistory, shape, (items, to) => {
      const built = buildRequestItems(items, to);
      const checked = checkRequest({ systemPrompt: '', tools: [], items: built }, to);
      if (built.length > 0) expect(checked).toEqual({ ok: true, value: null });
    }),
    RUNS,
  );
});

test('ITEM-2: building is deterministic, changes no input, and building again changes nothing', () => {
  fc.assert(
    fc.property(anyHistory, shape, (items, to) => {
      const before = JSON.stringify(items);
      const built = buildRequestItems(items, to);
      expect(buildRequestItems(items, to)).toEqual(built);
      expect(JSON.stringify(items)).toBe(before);
      if (built.length > 0) expect(buildRequestItems(built, to)).toBe(built);
    }),
    RUNS,
  );
});

test('ITEM-2: no text of a user is lost or moved', () => {
  fc.assert(
    fc.property(anyHistory, shape, (items, to) => {
      const built = userTexts(buildRequestItems(items, to));
      const kept = userTexts(items);
      // A user message may have been put in front, and one behind.
      expect(built.filter((one) => !isAdded(one))).toEqual(kept);
      const first = to.userFirst === true ? 1 : 0;
      const last = to.userLast === true ? 1 : 0;
      expect(built.length - kept.length).toBeLessThanOrEqual(first + last);
    }),
    RUNS,
  );
});

test('ITEM-2: once every call has its result, a longer history extends what was sent', () => {
  let complete = 0;
  fc.assert(
    fc.property(anyHistory, anyItem, shape, (items, next, to) => {
      const whole = buildRequestItems(items, to);
      // What was put behind for the model to go on from is not of the history.
      const before = userTexts(whole.slice(-1)).some(isAdded) ? whole.slice(0, -1) : whole;
      const waits = before.some(
        (one) => one.type === 'tool_result' && one.summary === 'no result was recorded',
      );
      if (waits) return;
      complete += 1;
      const after = buildRequestItems([...items, next], to);
      // With roles merged the last message may grow; what it began with stays.
      const settled = to.mergeRoles === true ? before.slice(0, -1) : before;
      expect(after.slice(0, settled.length)).toEqual(settled);
      const last = before.at(-1);
      const grown = after[before.length - 1];
      if (last?.type === 'message' && grown?.type === 'message')
        expect(grown.content.slice(0, last.content.length)).toEqual(last.content);
    }),
    RUNS,
  );
  expect(complete).toBeGreaterThan(100);
});

test('ITEM-2: a builder that remembers what it saw answers like one that does not', () => {
  fc.assert(
    fc.property(anyHistory, shape, (items, to) => {
      const kept = new CheckedItems(to);
      for (let length = 0; length <= items.length; length += 1)
        expect(buildRequestItems(items.slice(0, length), to, kept)).toEqual(
          buildRequestItems(items.slice(0, length), to),
        );
    }),
    { numRuns: 200 },
  );
});
