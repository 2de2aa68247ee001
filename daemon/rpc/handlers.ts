import { EVENTS } from '../../protocol/events.ts';
import { METHODS } from '../../protocol/methods.ts';
import { PROTOCOL_VERSION } from '../../protocol/version.ts';
import type { Log } from '../ports/log.ts';
import type { PodControl } from '../ports/pod-control.ts';
import type { Handlers } from './dispatch.ts';
import type { EventHub } from './event-hub.ts';

/** What of the daemon is not the Pod's. */
export type ServerFacts = {
  readonly pod: string;
  readonly version: string;
  readonly build: string;
  readonly epoch: number;
  readonly connections: () => number;
  /** The wire as an OpenRPC document. */
  readonly schema: () => Promise<Record<string, unknown>>;
  readonly log: Log;
};

/** Joins the methods to the Pod and the hub. Reads take state and `seq` in one tick, so that they fit the stream. */
export function createHandlers(pod: PodControl, hub: EventHub, server: ServerFacts): Handlers {
  const { pod: name, version, build, epoch, log } = server;
  return {
    Hello: ({ protocol, client }) => {
      log.debug('a client says who it is', { client, protocol });
      const methods = Object.keys(METHODS);
      const events = Object.keys(EVENTS);
      return { protocol: PROTOCOL_VERSION, version, build, pod: name, epoch, methods, events };
    },
    'rpc.discover': () => server.schema(),
    // Nobody waits for the answer of a notification, so its run is only accepted.
    Run: (params, { isNotification }) =>
      pod.run(isNotification ? { ...params, wait: 'accepted' } : params),
    Resume: (params, { isNotification }) =>
      pod.resume(isNotification ? { ...params, wait: 'accepted' } : params),
    Notify: (params) => pod.notify(params),
    Pause: () => pod.pause(),
    Cancel: (params) => pod.cancel(params),
    Shutdown: async (params) => {
      await pod.shutdown(params);
      return {};
    },
    GetStatus: () => ({ ...pod.status(), connections: server.connections() }),
    GetHistory: (params) => {
      const page = pod.history(params);
      // In one tick with the state, where that is in memory.
      const at = { epoch, seq: hub.seq };
      return page instanceof Promise
        ? page.then((past) => ({ ...past, ...at }))
        : { ...page, ...at };
    },
    GetUsage: (params) => pod.usage(params),
    Compact: (params) => pod.compact(params),
    Subscribe: ({ after, events }, { subscriber, afterAnswer }) => {
      const { replay, ...position } = hub.subscribe(subscriber, { after, events });
      afterAnswer(replay);
      return { ...position, ...pod.view(), inFlight: hub.inFlight(), approvals: [] };
    },
    Unsubscribe: (_params, { subscriber }) => {
      hub.unsubscribe(subscriber);
      return {};
    },
  };
}
