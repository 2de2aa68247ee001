import fc from 'fast-check';
import { expect, test } from 'vitest';
import { buildRequestItems } from '../../../../daemon/core/request-items.ts';
import { toAnthropicRequest } from '../../../../daemon/model/anthropic/request.ts';
import { anyHistory } from '../../../support/any-history.ts';
import { type MessagesBody, refusalOf } from '../../../support/messages-api.ts';

const SHAPE = { provider: 'p', model: 'm', userFirst: true, userLast: true };
const TOOL = { name: 'Read', description: '', parameters: { type: 'object' } };

test('ITEM-2 PROV-3 PROV-8: of any history the API takes the body, with its marks', () => {
  fc.assert(
    fc.property(anyHistory, fc.boolean(), fc.boolean(), (history, systemMessages, thinks) => {
      const items = buildRequestItems(history, SHAPE);
      if (items.length === 0) return;
      const body = toAnthropicRequest({ systemPrompt: 's', tools: [TOOL], items }, 'm', {
        maxTokens: 5000,
        thinking: thinks ? { type: 'enabled', budget_tokens: 2000 } : null,
        effort: null,
        stop: [],
        systemMessages,
      });
      expect(refusalOf(body as unknown as MessagesBody)).toBeNull();
      // Two of one side in a row would be one to the API: podd says so itself.
      const roles = body.messages.map(({ role }) => role);
      expect(roles.some((role, index) => role === roles[index + 1])).toBe(false);
      // A summary that is all there is has its mark and that of the end in one place.
      const least = items[0]?.type === 'message' && items[0].role === 'system' ? 2 : 3;
      const marks = JSON.stringify(body).split('"cache_control"').length - 1;
      expect(marks).toBeGreaterThanOrEqual(least);
    }),
    { numRuns: 1_000 },
  );
});
