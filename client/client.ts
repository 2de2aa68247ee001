/** What other programs get of podd's client: `import { connect, startPod } from 'podd/client'`. */
import { homedir } from 'node:os';
import { findSocket } from './find-pods.ts';
import {
  openClient,
  type ClientOptions,
  type ReconnectingClient as PodClient,
} from './reconnecting-client.ts';

export type { Gap, Position, StreamedEvent } from './catch-up.ts';
export type { EventsOptions, EventStream, Subscribed } from './event-stream.ts';
export type { PodEvent, RequestLimits } from './pod-client.ts';
export { PodError, type PodErrorCode } from './pod-error.ts';
export type { ClientOptions, PodClient };
export { startPod, type FailedStart, type StartedPod, type StartOptions } from './start-pod.ts';

/**
 * Connects to a Pod: by its name, which is looked up as `podctl` does, or with a slash in it by the path of its socket.
 * Throws `no_place`, `unreachable` or `no_answer`; what is lost later is connected to again.
 */
export async function connect(pod: string, options: ClientOptions = {}): Promise<PodClient> {
  const around = { env: process.env, home: homedir(), cwd: process.cwd() };
  return await openClient(findSocket(pod, around), options);
}
