import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { MessagesBody } from '../../test/support/messages-api.ts';
import { ModelServer } from '../../test/support/model-server.ts';
import { type CountTokens, PromptCache } from '../../test/support/prompt-cache.ts';
import { WireClient } from '../../test/support/wire-client.ts';
import { asksForSummary } from '../../test/support/working-model.ts';
import { ignore } from '../../daemon/support/deferred.ts';
import { PodHome } from './bench-pod.ts';
import type { Workload } from './cost-workload.ts';
import { PodClient } from './pod-client.ts';

export type Sent = {
  readonly body: MessagesBody;
  /** For a summary. */
  readonly isCompactor: boolean;
};

export type Played = {
  /** All that podd sent, in order. */
  readonly sent: readonly Sent[];
  /** Where the Pod, which has stopped, left its sessions. */
  readonly store: string;
};

const KILL_LIMIT_MS = 120_000;

/**
 * Has a Pod of the built daemon do the work, also across a kill -9 in the middle, and shows what it sent and stored to
 * `look` before all is removed.
 */
export async function playWorkload<T>(
  workload: Workload,
  isKilled: boolean,
  signal: AbortSignal,
  look: (played: Played) => Promise<T> | T,
  count?: CountTokens,
): Promise<T> {
  await using server = new ModelServer();
  server.cache = new PromptCache(undefined, count);
  await using home = PodHome.claude(await server.listen(), workload.settings);
  mkdirSync(home.workspace(), { recursive: true });
  const plan = workload.model(home.workspace());
  const sent: Sent[] = [];
  let ofRuns = 0;
  server.conduct((asked) => {
    const isCompactor = asksForSummary(asked.body);
    sent.push({ body: asked.body, isCompactor });
    if (isCompactor) return plan(asked);
    ofRuns += 1;
    const isItsEnd = isKilled && ofRuns - 1 === workload.killedAt;
    return isItsEnd ? { kind: 'begins', then: 'stalls' } : plan(asked);
  });
  let pod = home.start();
  await pod.line(signal);
  let client = await PodClient.open(home.socket(), signal);
  const killed = isKilled ? killInAnswer(home.socket(), pod.pid) : null;
  if (killed !== null) ignore(killed, 'awaited where the call that it ends has failed');
  for (const input of workload.inputs) {
    try {
      await client.call('Run', { input }, signal);
    } catch (error) {
      if (killed === null || !isLost(error)) throw error;
      await killed;
      client[Symbol.dispose]();
      await pod[Symbol.asyncDispose]();
      pod = home.start();
      await pod.line(signal);
      client = await PodClient.open(home.socket(), signal);
      await client.call('Resume', {}, signal);
    }
  }
  client[Symbol.dispose]();
  await pod.stop();
  if (server.refused.length > 0) throw new Error(`refused: ${server.refused.join('; ')}`);
  return await look({ sent, store: join(home.folder, 'state/pods/p/db/level') });
}

/** When what the request rests on is on disk, which podd waits for before it shows any of its answer. */
async function killInAnswer(socket: string, pid: number): Promise<void> {
  using watcher = await WireClient.open(socket);
  await watcher.call('Subscribe', { events: ['text_delta'] });
  const find = (): true | undefined =>
    watcher.events.some(({ data }) => data['text'] === 'so far') ? true : undefined;
  await watcher.waitFor(find, 'the answer that stalls', KILL_LIMIT_MS);
  process.kill(pid, 'SIGKILL');
}

function isLost(error: unknown): boolean {
  return error instanceof Error && error.message.includes('ended before it answered');
}
