import { join } from 'node:path';
import type { Params, Reply } from '../../protocol/methods.ts';
import type { Item } from '../../protocol/items.ts';
import type { Log } from '../../daemon/ports/log.ts';
import type { PodControl } from '../../daemon/ports/pod-control.ts';
import { createDispatch } from '../../daemon/rpc/dispatch.ts';
import { EventHub } from '../../daemon/rpc/event-hub.ts';
import { createHandlers } from '../../daemon/rpc/handlers.ts';
import type { RpcServer } from '../../daemon/rpc/listen.ts';
import { listen } from '../../daemon/rpc/listen.ts';
import { type Deferred, deferred } from '../../daemon/support/deferred.ts';
import { EPOCH } from './hub-events.ts';
import { tempFolder } from './temp-folder.ts';
import { WireClient } from './wire-client.ts';

const NO_RULES = { allow: [], deny: [] };
const STATUS: ReturnType<PodControl['status']> = {
  protocol: 1,
  version: '0.0.0',
  pod: 'p',
  pid: 1,
  epoch: EPOCH,
  state: 'idle',
  lastOutcome: null,
  interrupted: false,
  sessionId: 's',
  headHash: null,
  turnCount: 0,
  items: 0,
  occupancy: { tokens: 0, source: 'no_data' },
  usage: { inputTotal: 0, cacheRead: 0, cacheWrite: 0, output: 0 },
  provider: { kind: 'scripted', model: 'm' },
  cwd: '/',
  scope: { own: NO_RULES, delegated: NO_RULES, effective: NO_RULES },
  parent: null,
  children: [],
  waiting: { notes: 0, inputs: 0, events: 0, decisions: 0 },
  outbox: 0,
  compaction: { disabled: false, failures: 0, lastAt: null },
  log: { sessionEntries: 0, sessionBytes: 0, journalEntries: 0, journalBytes: 0 },
  committingSince: null,
  uptimeMs: 1,
  rssBytes: 1,
};

/** A Pod that answers when the test says so. */
export class FakePod implements PodControl {
  readonly runs: { readonly params: Params<'Run'>; readonly answer: Deferred<Reply<'Run'>> }[] = [];
  readonly cancels: Deferred<Reply<'Cancel'>>[] = [];
  items: Item[] = [];
  asked = 0;

  readonly run = (params: Params<'Run'>): Promise<Reply<'Run'>> => {
    const answer = deferred<Reply<'Run'>>();
    this.runs.push({ params, answer });
    return answer.promise;
  };
  readonly resume = (): Promise<Reply<'Resume'>> => Promise.resolve({ runId: 'resumed' });
  readonly cancel = (): Promise<Reply<'Cancel'>> => {
    const answer = deferred<Reply<'Cancel'>>();
    this.cancels.push(answer);
    return answer.promise;
  };
  readonly notify = (): Promise<Reply<'Notify'>> =>
    Promise.resolve({ queued: true, started: false, duplicate: false });
  readonly pause = (): Promise<Reply<'Pause'>> => Promise.resolve({ runId: 'open' });
  readonly shutdown = (): Promise<void> => Promise.resolve();
  readonly compact = (): Promise<Reply<'Compact'>> =>
    Promise.resolve({ from: 's', sessionId: 's2', tokensBefore: 2, tokensAfter: 1 });
  readonly usage = (): Promise<Reply<'GetUsage'>> => Promise.resolve({ records: [] });
  readonly status = (): ReturnType<PodControl['status']> => {
    this.asked += 1;
    return STATUS;
  };
  readonly history = (): ReturnType<PodControl['history']> => ({
    sessionId: 's',
    items: this.items,
    from: 0,
    total: this.items.length,
    greeting: { pod: 'p', cwd: '/', provider: 'scripted', model: 'm', scope: NO_RULES, tools: [] },
  });
  readonly view = (): ReturnType<PodControl['view']> => ({ state: 'idle' });
}

export type LogLine = { readonly level: string; readonly text: string };

/** `daemon/rpc` behind a real socket, with a Pod that is not one. */
export type RpcBench = AsyncDisposable & {
  readonly path: string;
  readonly pod: FakePod;
  readonly hub: EventHub;
  readonly server: RpcServer;
  readonly log: LogLine[];
  readonly client: () => Promise<WireClient>;
};

export async function rpcBench(): Promise<RpcBench> {
  const folder = await tempFolder();
  const path = join(folder.path, 'sock');
  const pod = new FakePod();
  const lines: LogLine[] = [];
  const log = keepLog(lines);
  const hub = new EventHub(EPOCH, { now: () => 1_000 });
  const joint: { server?: RpcServer } = {};
  const handlers = createHandlers(pod, hub, {
    pod: 'p',
    version: '0.0.0',
    build: 'test',
    schema: () => Promise.resolve({ openrpc: '1.3.2' }),
    log,
    epoch: EPOCH,
    connections: () => joint.server?.connections() ?? 0,
  });
  const server = await listen(path, { dispatch: createDispatch(handlers, log), hub, log });
  joint.server = server;
  return {
    path,
    pod,
    hub,
    server,
    log: lines,
    client: () => WireClient.open(path),
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

export function keepLog(lines: LogLine[]): Log {
  const at =
    (level: string) =>
    (text: string): void => {
      lines.push({ level, text });
    };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    fatal: at('fatal'),
  };
}
