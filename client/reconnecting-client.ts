import type { ConnectOptions } from './connect.ts';
import { connect } from './connect.ts';
import { EventStream, type EventsOptions } from './event-stream.ts';
import { CLIENT_LIMITS } from './limits.ts';
import { createMethodCalls, type MethodCalls } from './method-calls.ts';
import { RequestLine } from './request-line.ts';

export type ClientOptions = ConnectOptions & {
  /** How long a Pod that was there is waited for, by `untilConnected` and by each stream of events. */
  readonly redialMs?: number | undefined;
};

/**
 * A Pod, as a program sees it: a call for each method, and its events. Connections that are lost are made again. A call
 * then fails with `disconnected`; it may or may not have reached the Pod, and may be made again with the same id.
 */
export type ReconnectingClient = MethodCalls &
  AsyncDisposable & {
    /** The path of its socket. */
    readonly socket: string;
    /** Begins at once, on a connection of its own: a consumer that is slow holds up no call. */
    readonly events: (options?: EventsOptions) => EventStream;
    /** Resolves when calls can be made. Throws the last failure when `redialMs` has passed. */
    readonly untilConnected: () => Promise<void>;
  };

/** Throws as `connect` does; only what is lost later is tried again. `signal` ends the client, whenever it aborts. */
export async function openClient(
  socket: string,
  options: ClientOptions = {},
): Promise<ReconnectingClient> {
  const { signal, redialMs = CLIENT_LIMITS.redialMs } = options;
  const line = new RequestLine(socket, await connect(socket, options), redialMs);
  const streams = new Set<EventStream>();
  const close = async (): Promise<void> => {
    signal?.removeEventListener('abort', onAbort);
    await Promise.all([...streams, line].map((one) => one[Symbol.asyncDispose]()));
  };
  const onAbort = (): void => {
    for (const stream of streams) stream.abort(signal?.reason);
    close().catch(() => undefined);
  };
  signal?.addEventListener('abort', onAbort, { once: true });
  const events = (wanted: EventsOptions = {}): EventStream => {
    const stream = new EventStream(socket, { redialMs, ...wanted });
    streams.add(stream);
    stream.closed.finally(() => streams.delete(stream)).catch(() => undefined);
    if (signal?.aborted === true) stream.abort(signal.reason);
    return stream;
  };
  return {
    ...createMethodCalls((method, params, limits) => line.request(method, params, limits)),
    socket,
    events,
    untilConnected: () => line.untilConnected(),
    [Symbol.asyncDispose]: close,
  };
}
