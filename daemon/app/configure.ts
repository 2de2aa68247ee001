import { lstat, realpath } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { ScopeRules } from '../../protocol/scope.ts';
import { Fault } from '../core/fault.ts';
import { showControls } from '../core/show-controls.ts';
import type { Result } from '../core/result.ts';
import { findProject, type FoundProject } from '../manifest/find-project.ts';
import { loadManifest, type ManifestSources, type PodLayer } from '../manifest/load-manifest.ts';
import { manifestFault } from '../manifest/manifest-fault.ts';
import type { Manifest } from '../manifest/parse-manifest.ts';
import { configFolder, type PodPaths, resolvePaths } from '../manifest/paths.ts';
import { readTrust, type Trust } from '../manifest/read-trust.ts';
import { renderManifest } from '../manifest/render-manifest.ts';
import { resolveScope } from '../manifest/resolve-scope.ts';
import { refuseOutside } from '../manifest/trust.ts';
import type { ScopeView } from '../ports/scope-view.ts';
import { findRegistry } from './build-lease.ts';
import { checkPrompt, type PromptSources } from './build-prompt.ts';
import { buildScopeView, findOwnFiles, type ScopeSource } from './build-scope.ts';
import type { ConfigOptions } from './options.ts';
import { readOrigin } from './pod-origin.ts';

/** What of the process and its user a configuration depends on. */
export type Surroundings = {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** As the user database has it, not the environment; null if it has none. */
  readonly userHome: string | null;
  readonly uid: number;
  readonly cwd: () => string;
  readonly readStdin: (signal: AbortSignal) => Promise<Result<string, string>>;
  /** Aborts when the process is told to stop: a start that waits then ends. */
  readonly stopAsked: AbortSignal;
  /** Where podd's own files lie. */
  readonly shipped: { readonly prompts: string; readonly template: string };
};

/** A found project, and what its user has said of it. */
export type Project = FoundProject & { readonly trust: Trust };

type Loaded = {
  readonly manifest: Manifest;
  readonly rules: ScopeRules;
  readonly project: Project | null;
  /** Files that made the Pod. */
  readonly manifests: readonly string[];
  /** Where the user keeps prompts; null without a user layer. */
  readonly userPrompts: string | null;
};

/** Manifests, prompts, scope and working directory, in the order that decides which fault is told. Nothing is made. */
export async function configure(options: ConfigOptions, self: Surroundings) {
  const loaded = await load(options, self);
  const { manifest, rules, project, manifests } = loaded;
  const paths = resolvePaths(withState(self.env, options), self.home, manifest.pod.name);
  if (!paths.ok) throw new Fault('manifest_invalid', paths.error);
  await refuseNameOfOthers(manifest, project, paths.value);
  const prompts = await findPrompts(options, self, loaded);
  const inForce = await checkPrompt(prompts, manifest.instruction, self.stopAsked);
  const registry = findRegistry(self.env, self.userHome);
  const own = await findOwnFiles(paths.value, {
    registry: registry.path,
    manifests: [...manifests, ...inForce],
    secrets: secretsOf(manifest),
    untrusted: project === null || project.trust === 'trusted' ? null : project.root,
  });
  const cwd = await findCwd(self, buildScopeView(unclaimed(rules), own));
  return { manifest, paths: paths.value, rules, registry, own, cwd, prompts, project };
}

function secretsOf({ provider, compaction }: Manifest): readonly string[] {
  return [provider, compaction.provider].flatMap((one) =>
    one?.kind === 'anthropic' && one.apiKeyFile !== null ? [one.apiKeyFile] : [],
  );
}

/** What `--check` says. */
export async function checkPod(options: ConfigOptions, self: Surroundings): Promise<string> {
  const { manifest, project } = await configure(options, self);
  const trust = project === null ? '' : ` (a project that is ${TRUST[project.trust]})`;
  return `podd: a Pod ${manifest.pod.name} can be made of ${showControls(manifest.file)}${trust} here\n`;
}

const TRUST: Readonly<Record<Trust, string>> = {
  trusted: 'trusted',
  changed: 'not trusted any more: its manifest has changed',
  unknown: 'not trusted',
};

/** What `--print-manifest` says. */
export async function printManifest(options: ConfigOptions, self: Surroundings): Promise<string> {
  const { manifest, rules } = await load(options, self);
  return renderManifest(manifest, rules);
}

async function load(options: ConfigOptions, self: Surroundings): Promise<Loaded> {
  const { overlays, userManifest, bare } = options;
  const config = configFolder(self.env, self.home);
  if (!config.ok) throw new Fault('manifest_invalid', config.error);
  const project = await lookForProject(options, self, config.value);
  const cwd = (): string => workingDirectory(self.cwd);
  const pod = podLayer(options, project, self);
  const user = bare ? null : userLayer(userManifest, config.value);
  const sources: ManifestSources = { user, pod, overlays, cwd, home: self.home };
  const files = [user?.file, pod.kind === 'file' ? pod.file : project?.file];
  try {
    const manifest = await loadManifest(sources);
    const rules = await resolveScope(manifest);
    refuseScopeOutside(manifest, rules, project);
    const manifests = files.filter((file) => file !== undefined);
    const userPrompts = user === null ? null : join(dirname(user.file), 'prompts');
    return { manifest, rules, project, manifests, userPrompts };
  } catch (error) {
    if (!(error instanceof Fault) || project?.trust !== 'changed') throw error;
    const says = `${error.message}; ${project.file} has changed since you trusted it`;
    throw new Fault('manifest_invalid', says, { data: error.data, cause: error });
  }
}

function userLayer(named: string | null, config: string | null): ManifestSources['user'] {
  if (named !== null) return { file: named, isNamed: true };
  return config === null ? null : { file: join(config, 'manifest.toml'), isNamed: false };
}

function podLayer(
  { manifest }: ConfigOptions,
  project: Project | null,
  { readStdin, stopAsked }: Surroundings,
): PodLayer {
  if (manifest.kind === 'file') return { kind: 'file', file: manifest.path };
  if (manifest.kind === 'stdin') return { kind: 'stdin', read: () => readStdin(stopAsked) };
  if (project === null) return { kind: 'none' };
  return { kind: 'project', project, isTrusted: project.trust === 'trusted' };
}

async function lookForProject(
  { manifest, bare }: ConfigOptions,
  self: Surroundings,
  config: string | null,
): Promise<Project | null> {
  if (manifest.kind !== 'found' || bare) return null;
  const start = manifest.project ?? workingDirectory(self.cwd);
  const found = await findProject(start, { uid: self.uid, signal: self.stopAsked });
  if (!found.ok) throw new Fault('manifest_invalid', found.error);
  if (found.value === null) {
    if (manifest.project === null) return null;
    const says = `--project ${manifest.project}: there is no .podd/manifest.toml in it or above it; make one with podctl init`;
    throw new Fault('manifest_invalid', says);
  }
  const project = { ...found.value, trust: await readTrust(config, found.value) };
  if (!project.isForeign || project.trust === 'trusted') return project;
  throw new Fault(
    'manifest_invalid',
    `manifest ${project.file} belongs to another user: look at it, then name it with --manifest, or trust it with podctl trust`,
  );
}

/** Judged by where the links lead: a target that looks like the project's own may be anything. */
function refuseScopeOutside(manifest: Manifest, rules: ScopeRules, project: Project | null): void {
  if (project === null || project.trust === 'trusted') return;
  const problems = rules.allow.flatMap((rule, index) => {
    const at = `scope.allow[${index}]`;
    return manifest.origins.get(at) === project.file
      ? refuseOutside([rule], project.root).map((says) => ({ source: project.file, says }))
      : [];
  });
  if (problems.length > 0) throw manifestFault(project.file, problems);
}

/** A name stands for a history: a project may take up its own, and nobody else's, until it is trusted. */
export async function refuseNameOfOthers(
  { pod, origins }: Manifest,
  project: Project | null,
  paths: PodPaths,
): Promise<void> {
  if (project === null || project.trust === 'trusted') return;
  if (origins.get('pod.name') !== project.file) return;
  const origin = await readOrigin(paths);
  if (origin.kind === 'fresh' || origin.project === project.root) return;
  const says = `pod.name "${pod.name}" is that of a Pod which was not begun in this project: a project that you have not trusted may not take it up; use --name, --manifest or podctl trust`;
  throw manifestFault(project.file, [{ source: project.file, says }]);
}

async function findPrompts(
  { bare }: ConfigOptions,
  self: Surroundings,
  { project, userPrompts: user }: Loaded,
): Promise<PromptSources> {
  const shipped = { podd: self.shipped.prompts, template: self.shipped.template };
  if (bare) return { ...shipped, user: null, workspace: null };
  const root = project?.root ?? (await findPromptRoot(workingDirectory(self.cwd)));
  return {
    ...shipped,
    user,
    workspace: root === null ? null : { folder: join(root, '.podd', 'prompts'), project: root },
  };
}

/** The nearest folder with prompts of its own, for a Pod whose manifest was named and lies anywhere. */
async function findPromptRoot(cwd: string): Promise<string | null> {
  let folder: string;
  try {
    folder = await realpath(cwd);
  } catch (cause) {
    throw noWorkingDirectory(cause);
  }
  for (;;) {
    const stat = await lstat(join(folder, '.podd', 'prompts')).catch(() => null);
    if (stat !== null) return folder;
    const above = dirname(folder);
    if (above === folder) return null;
    folder = above;
  }
}

function withState(env: Surroundings['env'], { state }: ConfigOptions): Surroundings['env'] {
  return state === null ? env : { ...env, PODD_STATE_DIR: resolve(state) };
}

/** Taken once and kept for life: canonical, and in the scope, since that is where the agent starts from. */
async function findCwd(self: Surroundings, scope: ScopeView): Promise<string> {
  let cwd: string;
  try {
    cwd = await realpath(workingDirectory(self.cwd));
  } catch (cause) {
    throw cause instanceof Fault ? cause : noWorkingDirectory(cause);
  }
  if (scope.permissionOf(cwd) !== 'none') return cwd;
  throw new Fault(
    'manifest_invalid',
    `the working directory ${cwd} is outside the Pod's scope: start podd in a folder that [[scope.allow]] covers`,
  );
}

function workingDirectory(cwd: () => string): string {
  try {
    return cwd();
  } catch (cause) {
    throw noWorkingDirectory(cause);
  }
}

function noWorkingDirectory(cause: unknown): Fault {
  const says = 'the working directory is gone: start podd in one that exists';
  return new Fault('manifest_invalid', says, { cause });
}

/** The scope as the manifest has it, for what is looked at before anything is claimed. */
function unclaimed(rules: ScopeRules): ScopeSource {
  return {
    own: () => rules,
    delegated: () => ({ allow: [], deny: [] }),
    parent: () => null,
    children: () => [],
    fence: () => Promise.resolve('held'),
  };
}
