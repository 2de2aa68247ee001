import { describe, expect, test } from 'vitest';
import type { Item } from '../../../protocol/items.ts';
import { type Bar, judgeCompaction } from '../../../daemon/core/compaction-check.ts';
import { layoutHistory } from '../../../daemon/core/compaction-layout.ts';
import { call, result, said, user } from '../../support/items.ts';

const SUMMARY = '## User Directives\n- Be kind.';
const layout = (tail: readonly Item[], summary = SUMMARY): Item[] =>
  layoutHistory({ summary, ledger: 'none', autoReads: [], references: [], tail });
const bar = (changes: Partial<Bar> = {}): Bar => ({
  shape: { provider: 'p', model: 'm', userFirst: true, userLast: true },
  calibration: { tokensPerByte: 0.25, constantTokens: 100 },
  tokensBefore: 1000,
  threshold: null,
  directives: ['Be kind.'],
  ...changes,
});
const judge = (items: readonly Item[], changes: Partial<Bar> = {}, summary = SUMMARY) =>
  judgeCompaction({ items, pruneMark: 0, summary }, bar(changes));

describe('judgeCompaction', () => {
  test('COMP-10: what is smaller, valid and keeps the directives may take the place', () => {
    const judged = judge(layout([user('go'), call('a'), result('a')]));
    expect(judged).toMatchObject({ ok: true });
    if (judged.ok) expect(judged.tokensAfter).toBeLessThan(1000);
  });

  test('COMP-10, INV-13: what is not smaller is refused, with both numbers', () => {
    expect(judge(layout([user('x'.repeat(4000))]))).toMatchObject({
      ok: false,
      cause: 'not_smaller',
      problems: [expect.stringMatching(/\d+ tokens, and had 1000 before/)],
    });
  });

  test('COMP-10: so is what is over the threshold that triggered', () => {
    expect(judge(layout([user('x'.repeat(2000))]), { threshold: 300 })).toMatchObject({
      ok: false,
      cause: 'not_smaller',
      problems: [expect.stringContaining('at most 300 are possible')],
    });
  });

  test('COMP-10: content that is left out of requests does not count', () => {
    const tail = [user('go'), call('a'), result('a', 'x'.repeat(8000)), said('ok')];
    const items = layout(tail);
    expect(judgeCompaction({ items, pruneMark: 0, summary: SUMMARY }, bar()).ok).toBe(false);
    const mark = items.length - 1;
    expect(judgeCompaction({ items, pruneMark: mark, summary: SUMMARY }, bar()).ok).toBe(true);
  });

  test('COMP-10: a directive that is gone is named', () => {
    const summary = '## User Directives\n- (none)';
    expect(judge(layout([user('go')], summary), {}, summary)).toEqual({
      ok: false,
      cause: 'invalid',
      problems: ['this directive of the user’s is missing from it: Be kind.'],
    });
  });

  test('COMP-10: a result that has lost its call is no valid history', () => {
    expect(judge(layout([result('a'), user('go')]))).toMatchObject({ ok: false, cause: 'invalid' });
  });
});
