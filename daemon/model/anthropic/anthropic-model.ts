import type AnthropicSdk from '@anthropic-ai/sdk';
import type { RequestInit } from 'undici';
import { Fault } from '../../core/fault.ts';
import type { Log } from '../../ports/log.ts';
import type { Model, ModelEvent, ModelRequest } from '../../ports/model.ts';
import { toProviderFault } from './faults.ts';
import { toAnthropicRequest } from './request.ts';
import type { Settings } from './settings.ts';
import { AnthropicStream } from './stream.ts';
import { type Timeouts, Watchdog } from './watchdog.ts';

export type AnthropicOptions = {
  readonly model: string;
  readonly apiKey: string;
  readonly baseUrl: string;
  readonly contextWindow: number;
  readonly settings: Settings;
  /** What of the manifest is not sent. */
  readonly unsent: readonly string[];
  readonly timeouts: Timeouts;
  readonly log: Log;
};

/** A conversation begins with the user, and what is to be answered is the user's: newer models continue no text of their own. */
const ORDER = { userFirst: true, userLast: true } as const;

/** Claude. The SDK is loaded at the first request, and kept. Nothing of it is asked of the environment but proxies. */
export function openAnthropicModel(options: AnthropicOptions): Model {
  const { model, contextWindow, settings, unsent, timeouts, log } = options;
  let client: Promise<AnthropicSdk> | undefined;

  async function* stream(
    request: ModelRequest,
    signal: AbortSignal,
  ): AsyncGenerator<ModelEvent, void> {
    signal.throwIfAborted();
    client ??= connect(options);
    const sdk = await client;
    using watchdog = new Watchdog(timeouts, signal);
    const answer = new AnthropicStream((what) => {
      log.debug('the model sent something that is not known', { model, what });
    });
    let isWhole = false;
    try {
      const body = toAnthropicRequest(request, model, settings);
      const { data: events, response } = await sdk.messages
        .create(body, { signal: watchdog.signal })
        .withResponse();
      refuseOtherThanEvents(response, model);
      for await (const event of events) {
        watchdog.heard();
        isWhole = event.type === 'message_stop';
        yield* answer.take(event);
      }
    } catch (error) {
      // An abort shows as an error of the SDK's own.
      watchdog.signal.throwIfAborted();
      throw toProviderFault(error, model, options.apiKey);
    }
    // The SDK ends the loop without a word when the request is aborted or its connection closes.
    watchdog.signal.throwIfAborted();
    if (!isWhole)
      throw new Fault('provider_error', `${model}: the answer broke off before its end`, {
        data: { reason: 'no_terminal_event', retryable: true },
      });
  }

  return { provider: 'anthropic', model, contextWindow, order: ORDER, unsent, stream };
}

/** The SDK reads a web page as a stream without events. */
function refuseOtherThanEvents(response: Response, model: string): void {
  const type = response.headers.get('content-type') ?? '';
  if (type.includes('text/event-stream')) return;
  const says = `${model}: a stream of events was expected, not ${type === '' ? 'this' : type.slice(0, 100)}: is provider.base_url right?`;
  throw new Fault('provider_error', says, { data: { reason: 'malformed', retryable: false } });
}

async function connect({ apiKey, baseUrl, timeouts }: AnthropicOptions): Promise<AnthropicSdk> {
  // By its default: a bundle knows the names of a CommonJS module so only.
  const [{ default: Anthropic }, { default: undici }] = await Promise.all([
    import('@anthropic-ai/sdk'),
    import('undici'),
  ]);
  const dispatcher = new undici.EnvHttpProxyAgent({
    connect: { timeout: timeouts.connectMs },
    // The watchdog's, which counts to the first event, comes before it.
    headersTimeout: 2 * timeouts.firstEventMs,
    bodyTimeout: timeouts.idleMs,
  });
  return new Anthropic({
    apiKey,
    authToken: null,
    baseURL: baseUrl,
    maxRetries: 0,
    logLevel: 'off',
    defaultHeaders: { 'x-api-key': apiKey },
    fetch: ((url: string, init: RequestInit) =>
      // A redirect would take the key along.
      undici.fetch(url, {
        ...init,
        redirect: 'manual',
        dispatcher,
      })) as unknown as typeof globalThis.fetch,
  });
}
