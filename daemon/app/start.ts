import { readFile } from 'node:fs/promises';
import { v7 } from 'uuid';
import type { Numbered } from '../../protocol/events.ts';
import { runId, sessionId } from '../core/ids.ts';
import { LIMITS } from '../core/limits.ts';
import { openFiles } from '../files/open-files.ts';
import type { Manifest } from '../manifest/parse-manifest.ts';
import type { PodPaths } from '../manifest/paths.ts';
import { TOOL_NAMES } from '../manifest/schema.ts';
import { renderManifest } from '../manifest/render-manifest.ts';
import { Pod } from '../pod/pod.ts';
import type { Clock } from '../ports/clock.ts';
import { createDispatch } from '../rpc/dispatch.ts';
import { EventHub } from '../rpc/event-hub.ts';
import { createHandlers } from '../rpc/handlers.ts';
import type { RpcServer } from '../rpc/listen.ts';
import { checkSocketPath, listen, refuseLive } from '../rpc/listen.ts';
import { SpoolFolder } from '../sandbox/spool.ts';
import { readOwnIdentity } from '../scope/process-identity.ts';
import { Closing } from '../support/closing.ts';
import { ignore } from '../support/deferred.ts';
import { openLease } from './build-lease.ts';
import { buildCompactorModel, buildModel } from './build-model.ts';
import { renderPrompt } from './build-prompt.ts';
import { buildScopeView } from './build-scope.ts';
import { buildToolBox, readTool, toToolBox } from './build-tools.ts';
import { configure, refuseNameOfOthers, type Surroundings } from './configure.ts';
import { EarlyLog } from './early-log.ts';
import type { LogFile } from './log-file.ts';
import { openLogFile } from './log-file.ts';
import type { Stderr } from './log-stderr.ts';
import { openStore, refuseSessionOfNone } from './open-store.ts';
import type { ServeOptions } from './options.ts';
import { makeStateFolders, RuntimeFolder } from './pod-folders.ts';
import { recordOrigin } from './pod-origin.ts';
import type { ServiceNotices } from './service-notices.ts';
import { openServiceNotices } from './service-notices.ts';
import { StatusFile } from './status-file.ts';

export type Process = Surroundings & {
  readonly version: string;
  /** Of which source it was built. */
  readonly build: string;
  /** Where the OpenRPC document of the wire lies. */
  readonly schema: string;
  /** As it was when the process began: what user files are made with. */
  readonly umask: number;
  /** Its user is the superuser, whom file modes don't bind. */
  readonly isRoot: boolean;
  readonly stderr: Stderr;
};

/** A Pod that serves its socket. Closing it ends the socket, the store and the runtime folder, in that order. */
export type StartedPod = AsyncDisposable & {
  readonly pod: Pod;
  readonly logFile: LogFile;
  readonly notices: ServiceNotices;
  /** Its scope was found to be another's: that is why it stopped. */
  readonly wasFenced: () => boolean;
  readonly ready: {
    readonly ready: true;
    readonly pod: string;
    readonly pid: number;
    readonly socket: string;
    readonly sessionId: string;
    readonly epoch: number;
    /** Only as root: what rests on file modes is weaker then. */
    readonly root?: true;
    /** Only when the registry was moved. */
    readonly registry?: string;
  };
};

const CLOCK: Clock = { now: () => Date.now() };

/**
 * Everything from a manifest to a socket that answers, in the order that decides the exit code: configuration, scope
 * and cwd, model, store, socket. A failure undoes what came before it.
 */
export async function startPod(options: ServeOptions, self: Process): Promise<StartedPod> {
  const early = new EarlyLog();
  try {
    return await startLogged(options, self, early);
  } catch (error) {
    throw early.explain(error);
  }
}

async function startLogged(
  options: ServeOptions,
  self: Process,
  early: EarlyLog,
): Promise<StartedPod> {
  // The log closes last: what fails while the rest is closed, and the release itself, belong into it.
  await using last = new Closing();
  await using closing = new Closing();
  const { manifest, paths, rules, registry, own, cwd, prompts, project } = await configure(
    options,
    self,
  );
  checkSocketPath(paths.socket);

  const identity = await readOwnIdentity();
  const lease = closing.use(
    'lease',
    await openLease(
      registry,
      {
        pod: manifest.pod.name,
        store: paths.db,
        socket: paths.socket,
        scope: rules,
        version: self.version,
        identity,
        now: CLOCK.now,
      },
      { lockWanted: self.env['PODD_SCOPE_LOCK'], log: early.log, signal: self.stopAsked },
    ),
  );
  // Whoever had the name a moment ago may have begun it since it was looked at.
  await refuseNameOfOthers(manifest, project, paths);
  await refuseSessionOfNone(paths, options.session);
  const scope = buildScopeView(lease, own);
  const around = { cwd, env: self.env, log: early.log };
  const model = await buildModel(manifest, around);
  const compactorModel = await buildCompactorModel(manifest, around);

  await makeStateFolders(paths);
  await recordOrigin(paths, project?.root ?? null);
  const logFile = last.use('log', openLog(paths, options, manifest, self.stderr));
  const { log } = logFile;
  early.connect(log);
  const notices = closing.use(
    'service notices',
    await openServiceNotices(self.env, { pid: process.pid, log }),
  );
  if (project?.trust === 'changed')
    log.warn('the project’s manifest has changed since it was trusted', { root: project.root });
  const joint: { hub?: EventHub; server?: RpcServer; status?: StatusFile } = {};
  const { journal, restored } = await openStore(manifest.pod.name, paths, {
    session: options.session,
    newSessionId: () => sessionId(v7()),
    epochAfter: (last) => lease.raiseEpoch(last, self.stopAsked),
    bootId: identity.bootId,
    clock: CLOCK,
    // Nothing is published before the hub is there: the first events are of the first run.
    publish: (events: readonly Numbered[]) => {
      joint.hub?.publish(events);
      for (const { event, data } of events) {
        if (event === 'session_changed') joint.status?.showSession(data.sessionId);
        if (event !== 'state') continue;
        joint.status?.show(data.state);
        notices.show(data);
      }
    },
    log,
  });
  closing.use('journal', journal);
  const { epoch } = journal.state();
  const hub = new EventHub(epoch, CLOCK);
  joint.hub = hub;

  const files = openFiles(scope, self.umask);
  const pod = new Pod({
    name: manifest.pod.name,
    version: self.version,
    epoch,
    ...(registry.moved ? { registry: registry.path } : {}),
    cwd,
    journal,
    model,
    scope,
    files,
    spool: new SpoolFolder(paths.spool, CLOCK),
    retries: { max: manifest.provider.maxRetries, random: Math.random },
    tools: () => buildToolBox(manifest.toolOutput),
    config: {
      provider: { kind: model.provider, model: model.model },
      tools: TOOL_NAMES,
      maxTurns: manifest.maxTurns,
      scope: scope.own(),
    },
    renderSystemPrompt: (signal) =>
      renderPrompt(
        prompts,
        manifest.instruction,
        { cwd, spool: paths.spool, scope, files, tools: TOOL_NAMES, clock: CLOCK, log },
        signal,
      ),
    compaction: {
      settings: manifest.compaction,
      model: compactorModel,
      retries: {
        max: manifest.compaction.provider?.maxRetries ?? manifest.provider.maxRetries,
        random: Math.random,
      },
      toToolBox: (tools) => toToolBox(tools, () => LIMITS.resultContentBytes),
      readTool,
    },
    newSessionId: () => sessionId(v7()),
    newRunId: () => runId(v7()),
    newNoteId: () => v7(),
    notifications: manifest.notifications,
    showDelta: (delta) => {
      hub.delta(delta);
    },
    clock: CLOCK,
    log,
    process: {
      pid: process.pid,
      rssBytes: () => process.memoryUsage.rss(),
      uptimeMs: () => Math.round(process.uptime() * 1000),
    },
  });

  const unsent = [model, compactorModel].flatMap((one) => one?.unsent ?? []);
  const warnings = [
    ...manifest.warnings,
    ...unsent.map((says) => `not sent to the model: ${says}`),
  ];
  for (const message of warnings) {
    log.warn(message);
    const data = { level: 'warn' as const, source: 'manifest' as const, message };
    ignore(
      journal.commit({ events: [{ event: 'notification', data }] }),
      'an event alone touches no disk',
    );
  }

  const runtime = closing.use('runtime folder', new RuntimeFolder(paths));
  await refuseLive(paths.socket);
  await runtime.make({ pid: process.pid, manifest: renderManifest(manifest, scope.own()) });
  const facts = {
    pod: manifest.pod.name,
    pid: process.pid,
    epoch,
    version: self.version,
    socket: paths.socket,
    sessionId: journal.session().sessionId,
  };
  joint.status = closing.use(
    'status file',
    new StatusFile(paths.status, facts, { clock: CLOCK, log }),
  );
  joint.status.show('idle');
  const handlers = createHandlers(pod, hub, {
    pod: manifest.pod.name,
    version: self.version,
    build: self.build,
    epoch,
    schema: () => readSchema(self.schema),
    log,
    connections: () => joint.server?.connections() ?? 0,
  });
  const dispatch = createDispatch(handlers, log);
  joint.server = closing.use('socket', await listen(paths.socket, { dispatch, hub, log }));
  log.info('the Pod serves', { version: self.version, epoch, socket: paths.socket });
  if (restored.interruptedRun !== null)
    log.warn('the last process died in a run; it is closed as interrupted', {
      runId: restored.interruptedRun,
      calls: restored.interruptedCalls,
    });

  ignore(
    lease.lost.then(async () => {
      log.fatal('the scope of this Pod is no longer its own in the registry: it stops', { epoch });
      await pod.stop('fenced', 'now');
    }),
    'the loop ends by it',
  );

  const all = last.move();
  all.use('the rest', closing.move());
  return {
    pod,
    logFile,
    notices,
    wasFenced: () => lease.isLost,
    ready: {
      ready: true,
      pod: facts.pod,
      pid: facts.pid,
      socket: facts.socket,
      sessionId: facts.sessionId,
      epoch,
      ...(self.isRoot ? { root: true as const } : {}),
      ...(registry.moved ? { registry: registry.path } : {}),
    },
    [Symbol.asyncDispose]: () => {
      // What may still write keeps its scope for as long as the process is there.
      if (pod.hasSurvivors()) lease.leave();
      return all[Symbol.asyncDispose]();
    },
  };
}

/** Only a client that asks for it needs it. */
async function readSchema(path: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>;
}

function openLog(
  paths: PodPaths,
  options: ServeOptions,
  manifest: Manifest,
  stderr: Stderr,
): LogFile {
  const wanted = options.logStderr || stderr.isTerminal;
  const also = wanted ? stderr.logLine() : null;
  const { logLevel: level } = options;
  const logFile = openLogFile(paths.log, { level, pod: manifest.pod.name, also });
  if (wanted && also === null)
    logFile.log.warn('stderr gets no lines: it can’t be written without waiting for its reader');
  return logFile;
}
