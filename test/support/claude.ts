import {
  type AnthropicOptions,
  openAnthropicModel,
} from '../../daemon/model/anthropic/anthropic-model.ts';
import type { Settings } from '../../daemon/model/anthropic/settings.ts';
import type { Timeouts } from '../../daemon/model/anthropic/watchdog.ts';
import type { Model } from '../../daemon/ports/model.ts';
import { SILENT } from './temp-journal.ts';

export const PLAIN: Settings = {
  maxTokens: 100,
  thinking: null,
  effort: null,
  stop: [],
  systemMessages: false,
};

/** The adapter itself, against a loopback server. */
export function claudeAt(
  baseUrl: string,
  timeouts: Partial<Timeouts> = {},
  more: Partial<AnthropicOptions> = {},
): Model {
  return openAnthropicModel({
    model: 'claude-test',
    apiKey: 'sk-ant-test-0123456789',
    baseUrl,
    settings: PLAIN,
    unsent: [],
    contextWindow: 200_000,
    prices: undefined,
    timeouts: { connectMs: 1000, firstEventMs: 5000, idleMs: 5000, ...timeouts },
    log: SILENT,
    ...more,
  });
}
