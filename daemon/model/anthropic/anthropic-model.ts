import type { Messages } from '@anthropic-ai/sdk/resources/messages/messages';
import { Fault } from '../../core/fault.ts';
import type { Log } from '../../ports/log.ts';
import type { Model, ModelEvent, ModelRequest, Prices } from '../../ports/model.ts';
import { waitOrAbandon } from '../../support/abandon.ts';
import { HttpConnection } from '../http-connection.ts';
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
  readonly prices: Prices | undefined;
  readonly settings: Settings;
  /** What of the manifest is not sent. */
  readonly unsent: readonly string[];
  readonly timeouts: Timeouts;
  readonly log: Log;
};

type Client = { readonly messages: Messages; readonly connection: HttpConnection };

/** A conversation begins with the user, and what is to be answered is the user's: newer models continue no text of their own. */
const ORDER = { userFirst: true, userLast: true } as const;

/** Claude. The SDK is loaded at the first request, and kept. Nothing of it is asked of the environment but proxies. */
export function openAnthropicModel(options: AnthropicOptions): Model {
  const { model, contextWindow, prices, settings, unsent, timeouts, log } = options;
  let client: Promise<Client> | undefined;

  async function* stream(
    request: ModelRequest,
    signal: AbortSignal,
  ): AsyncGenerator<ModelEvent, void> {
    signal.throwIfAborted();
    client ??= load(options);
    const loading = client;
    // Loading goes on for the next request, whoever has lost interest in this one.
    const { messages, connection } = await waitOrAbandon(loading, signal, 0).catch(
      (error: unknown) => {
        if (error instanceof Fault) client = undefined;
        throw error;
      },
    );
    using watchdog = new Watchdog(timeouts, signal);
    const answer = new AnthropicStream((what) => {
      log.debug('the model sent something that is not known', { model, what });
    });
    let isWhole = false;
    let isClean = false;
    try {
      const body = toAnthropicRequest(request, model, settings);
      const { data: events, response } = await messages
        .create(body, { signal: watchdog.signal })
        .withResponse();
      refuseOtherThanEvents(response, model);
      for await (const event of events) {
        if (isWhole) continue;
        isWhole = event.type === 'message_stop';
        watchdog.heard(isWhole);
        yield* answer.take(event);
      }
      isClean = true;
    } catch (error) {
      // With its last event the answer is whole and paid for, whatever its connection does then.
      if (isWhole && !signal.aborted) return;
      // An abort shows as an error of the SDK's own.
      watchdog.signal.throwIfAborted();
      throw toProviderFault(error, model, options.apiKey);
    } finally {
      // Whatever it was that came in its way, nothing of this request is left.
      if (!isWhole || !isClean) connection.drop();
    }
    // The SDK ends the loop without a word when the request is aborted or its connection closes.
    signal.throwIfAborted();
    if (isWhole) return;
    watchdog.signal.throwIfAborted();
    throw new Fault('provider_error', `${model}: the answer broke off before its end`, {
      data: { reason: 'no_terminal_event', retryable: true },
    });
  }

  return {
    provider: 'anthropic',
    model,
    contextWindow,
    ...(prices === undefined ? {} : { prices }),
    order: ORDER,
    unsent,
    stream,
  };
}

/** The SDK reads a web page as a stream without events. */
function refuseOtherThanEvents(response: Response, model: string): void {
  const type = response.headers.get('content-type') ?? '';
  if (type.includes('text/event-stream')) return;
  const says = `${model}: a stream of events was expected, not ${type === '' ? 'this' : type.slice(0, 100)}: is provider.base_url right?`;
  throw new Fault('provider_error', says, { data: { reason: 'malformed', retryable: false } });
}

async function load({ apiKey, baseUrl, timeouts }: AnthropicOptions): Promise<Client> {
  try {
    // The watchdog's, which counts to the first event, comes before it.
    const headersMs = 2 * timeouts.firstEventMs;
    const [{ BaseAnthropic, Messages }, connection] = await Promise.all([
      import('./sdk.ts'),
      HttpConnection.load({ ...timeouts, headersMs, refusalMs: timeouts.firstEventMs }),
    ]);
    // The key goes in one header, as the API's reference has it; the SDK's own is another.
    const defaultHeaders = { 'x-api-key': apiKey, authorization: null };
    const client = new BaseAnthropic({
      apiKey,
      authToken: null,
      webhookKey: null,
      baseURL: baseUrl,
      maxRetries: 0,
      timeout: headersMs,
      logLevel: 'off',
      openTelemetry: false,
      defaultHeaders,
      fetch: connection.fetch,
    });
    // The constructor has added what ANTHROPIC_CUSTOM_HEADERS says, whatever the server; no option keeps it from that.
    Object.assign(Reflect.get(client, '_options') as object, { defaultHeaders });
    return { messages: new Messages(client), connection };
  } catch (cause) {
    // An upgrade in place takes away the files of a Pod that runs.
    const says = 'a part of podd itself could not be loaded; if it was upgraded, restart this Pod';
    throw new Fault('provider_error', says, { cause, data: { reason: 'not_loaded' } });
  }
}
