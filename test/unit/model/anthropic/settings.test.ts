import { describe, expect, test } from 'vitest';
import { familyOf } from '../../../../daemon/model/anthropic/families.ts';
import { type AskedSettings, planSettings } from '../../../../daemon/model/anthropic/settings.ts';

const NOTHING: AskedSettings = {
  table: 'provider',
  maxTokens: null,
  thinkingBudget: null,
  reasoningEffort: null,
  temperature: null,
  topP: null,
  stop: [],
};

function plan(model: string, asked: Partial<AskedSettings>) {
  return planSettings(model, familyOf(model), { ...NOTHING, ...asked });
}

describe('familyOf', () => {
  test.each([
    ['claude-3-opus-20240229', 200_000, 4096, null],
    ['claude-3-5-sonnet-20241022', 200_000, 8192, null],
    ['claude-3-7-sonnet-latest', 200_000, 64_000, 'budget'],
    ['claude-opus-4-20250514', 200_000, 32_000, 'budget'],
    ['claude-opus-4-1-20250805', 200_000, 32_000, 'budget'],
    ['claude-sonnet-4-20250514', 200_000, 64_000, 'budget'],
    ['claude-haiku-4-5', 200_000, 64_000, 'budget'],
    ['claude-opus-4-5-20251101', 200_000, 64_000, 'budget'],
    ['claude-opus-4-6', 1_000_000, 128_000, 'adaptive'],
    ['claude-sonnet-4-6', 1_000_000, 64_000, 'adaptive'],
    ['claude-opus-4-8', 1_000_000, 128_000, 'adaptive'],
    ['claude-haiku-5-5', 1_000_000, 128_000, 'adaptive'],
    ['us.anthropic.claude-opus-5-5', 1_000_000, 128_000, 'adaptive'],
    ['llama', 200_000, 64_000, 'either'],
    ['claude-2.1', 200_000, 64_000, 'either'],
    ['claude-opus-20240229', 200_000, 64_000, 'either'],
    ['claude-sage-1', 200_000, 64_000, 'either'],
    ['claude-fable-4', 200_000, 64_000, 'either'],
  ])('PROV-10: %s has a window of %i and answers of %i', (model, window, answer, thinking) => {
    expect(familyOf(model)).toMatchObject({
      contextWindow: window,
      maxTokens: answer,
      thinking,
    });
  });

  test.each([
    ['claude-opus-4', 'claude-opus-4-0'],
    ['claude-opus-4', 'claude-opus-4-1'],
    ['claude-opus-4@20250514', 'claude-opus-4-20250514'],
    ['us.anthropic.claude-opus-4-20250514-v1:0', 'claude-opus-4-20250514'],
    ['claude-opus-4.1', 'claude-opus-4-1'],
    ['anthropic/claude-opus-4.5', 'claude-opus-4-5'],
    ['anthropic/claude-opus-4.6', 'claude-opus-4-6'],
    ['claude-sonnet-4', 'claude-sonnet-4-0'],
    ['claude-sonnet-4.6', 'claude-sonnet-4-6'],
    ['claude-sonnet-4-1m', 'claude-sonnet-4-0'],
    ['anthropic/claude-3.5-sonnet', 'claude-3-5-sonnet-20241022'],
    ['anthropic/claude-3.7-sonnet:thinking', 'claude-3-7-sonnet-latest'],
    ['anthropic/claude-4.5-sonnet', 'claude-sonnet-4-5'],
    ['anthropic/claude-opus-5.5', 'claude-opus-5-5'],
  ])('PROV-10: %s is of the family of %s', (model, same) => {
    expect(familyOf(model)).toBe(familyOf(same));
    expect(familyOf(model)).not.toBe(familyOf('llama'));
  });

  test('PROV-10: opus 4 and 4.1 answer with 32,000 tokens at most, however they are written', () => {
    const ids = ['claude-opus-4', 'claude-opus-4.1', 'anthropic/claude-opus-4.1', 'claude-4-opus'];
    expect(ids.map((id) => familyOf(id).maxTokens)).toEqual([32_000, 32_000, 32_000, 32_000]);
  });

  test.each([
    ['claude-opus-4-9', 'claude-opus-4-8'],
    ['claude-opus-6', 'claude-opus-5'],
    ['claude-opus-6-20280101', 'claude-opus-5'],
    ['anthropic/claude-opus-10.2', 'claude-opus-5'],
    ['claude-sonnet-4-7', 'claude-sonnet-4-6'],
    ['claude-sonnet-7', 'claude-sonnet-5'],
    ['claude-haiku-6-1', 'claude-haiku-5'],
    ['claude-mythos-6', 'claude-mythos-5'],
  ])(
    'PROV-10 PROV-3: %s, which is newer, thinks as %s does; what it may refuse is not sent',
    (newer, known) => {
      expect(familyOf(newer)).toEqual({
        ...familyOf(known),
        maxTokens: 64_000,
        systemMessages: false,
      });
    },
  );

  test('PROV-10: a newer model is asked to think in the way that its line takes', () => {
    expect(plan('claude-opus-6', { thinkingBudget: 4096, reasoningEffort: 'xhigh' })).toMatchObject(
      {
        ok: true,
        value: {
          settings: { thinking: { type: 'adaptive', display: 'summarized' }, effort: 'xhigh' },
          unsent: [expect.stringContaining('the number of provider.thinking_budget')],
        },
      },
    );
  });

  test('PROV-3: only models that are known to take system messages in a history get them', () => {
    const takes = ['claude-opus-4-8', 'claude-opus-5', 'claude-opus-5-5', 'claude-fable-5-2'];
    const takesNone = ['claude-opus-4-7', 'claude-sonnet-5', 'claude-haiku-5-5', 'llama'];
    expect(takes.every((model) => familyOf(model).systemMessages)).toBe(true);
    expect(takesNone.some((model) => familyOf(model).systemMessages)).toBe(false);
  });
});

describe('planSettings', () => {
  test('PROV-10: without a wish nothing is sent but the length of an answer', () => {
    expect(plan('claude-opus-5-5', {})).toEqual({
      ok: true,
      value: {
        settings: {
          maxTokens: 128_000,
          thinking: null,
          effort: null,
          stop: [],
          systemMessages: true,
        },
        unsent: [],
      },
    });
  });

  test.each<[string, Partial<AskedSettings>, object]>([
    [
      'claude-haiku-4-5',
      { thinkingBudget: 4096 },
      { thinking: { type: 'enabled', budget_tokens: 4096 } },
    ],
    ['claude-opus-4-6', { reasoningEffort: 'max' }, { thinking: { type: 'adaptive' } }],
    [
      'claude-sonnet-5-5',
      { reasoningEffort: 'xhigh' },
      { thinking: { type: 'adaptive', display: 'summarized' }, effort: 'xhigh' },
    ],
    ['claude-opus-4-5', { reasoningEffort: 'low' }, { thinking: null, effort: 'low' }],
    ['llama', { thinkingBudget: 1024, reasoningEffort: 'max', stop: ['x'] }, { stop: ['x'] }],
  ])('PROV-10: %s takes %o', (model, asked, settings) => {
    expect(plan(model, asked)).toMatchObject({ ok: true, value: { settings, unsent: [] } });
  });

  test.each<[string, Partial<AskedSettings>, string]>([
    ['llama', { temperature: 0, topP: 0.5 }, 'worker.temperature and worker.top_p: '],
    ['claude-3-opus-20240229', { thinkingBudget: 9 }, 'provider.thinking_budget: claude-3-opus'],
    ['claude-opus-5', { thinkingBudget: 9 }, 'the number of provider.thinking_budget: '],
    ['claude-opus-4-6', { reasoningEffort: 'xhigh' }, '"xhigh": claude-opus-4-6 knows low, medium'],
    ['claude-haiku-4-5', { reasoningEffort: 'low' }, 'thinking_budget makes it think'],
    ['claude-3-opus-20240229', { reasoningEffort: 'low' }, 'knows none'],
  ])('PROV-10: what %s does not take of %o is not sent, and told once', (model, asked, says) => {
    const planned = plan(model, asked);
    if (!planned.ok) throw new Error(planned.error);
    expect(planned.value.unsent).toHaveLength(1);
    expect(planned.value.unsent[0]).toContain(says);
    expect(planned.value.settings).toMatchObject({ effort: null });
  });

  test('PROV-10: of the compactor’s model it names the compactor’s keys, and none of the worker', () => {
    const told = ['claude-haiku-4-5', 'claude-opus-5', 'claude-3-opus-20240229'].map((model) => {
      const planned = plan(model, {
        table: 'compaction.provider',
        maxTokens: 4096,
        thinkingBudget: 4096,
        reasoningEffort: 'minimal',
      });
      return planned.ok ? planned.value.unsent : [planned.error];
    });
    expect(told.map(({ length }) => length)).toEqual([1, 2, 2]);
    const text = told.flat().join('\n');
    expect(text).not.toMatch(/(?<!compaction\.)provider\.|worker\./);
    expect(text.match(/compaction\.provider\./g)?.length).toBeGreaterThan(4);
  });

  test.each([
    ['claude-haiku-4-5', { thinkingBudget: 1023 }],
    ['claude-haiku-4-5', { thinkingBudget: 64_000 }],
    ['llama', { thinkingBudget: 5000, maxTokens: 5000 }],
  ])('PROV-10: a budget that %s could not take, %o, is refused', (model, asked) => {
    expect(plan(model, asked)).toMatchObject({ ok: false });
  });
});
