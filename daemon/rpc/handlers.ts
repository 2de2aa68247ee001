import type { PodControl } from '../ports/pod-control.ts';
import type { Handlers } from './dispatch.ts';
import type { EventHub } from './event-hub.ts';

/** Joins the methods to the Pod and the hub. Reads take state and `seq` in one tick, so that they fit the stream. */
export function createHandlers(
  pod: PodControl,
  hub: EventHub,
  server: { readonly epoch: number; readonly connections: () => number },
): Handlers {
  return {
    // Nobody waits for the answer of a notification, so its run is only accepted.
    Run: (params, { isNotification }) =>
      pod.run(isNotification ? { ...params, wait: 'accepted' } : params),
    Resume: (params, { isNotification }) =>
      pod.resume(isNotification ? { ...params, wait: 'accepted' } : params),
    Cancel: () => pod.cancel(),
    Shutdown: async (params) => {
      await pod.shutdown(params);
      return {};
    },
    GetStatus: () => ({ ...pod.status(), connections: server.connections() }),
    GetHistory: (params) => ({ ...pod.history(params), epoch: server.epoch, seq: hub.seq }),
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
