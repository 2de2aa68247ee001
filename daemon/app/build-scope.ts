import { join, resolve } from 'node:path';
import type { ScopeRules } from '../../protocol/scope.ts';
import type { OwnFiles } from '../core/own-files.ts';
import { guardOwnFiles } from '../core/own-files.ts';
import { permissionOf, withoutDelegated } from '../core/scope-rules.ts';
import { canonicalPath } from '../files/canonical-path.ts';
import type { PodPaths } from '../manifest/paths.ts';
import type { ScopeView } from '../ports/scope-view.ts';

/** Where the rules come from: what they are now, asked each time. */
export type ScopeSource = Omit<ScopeView, 'permissionOf' | 'effective'>;

/** A Pod's scope, as it stands whenever it is asked, with the daemon's own files taken out of it. */
export function buildScopeView(source: ScopeSource, own: OwnFiles): ScopeView {
  const effective = (): ScopeRules => withoutDelegated(source.own(), source.delegated());
  return {
    permissionOf: (path) => guardOwnFiles(own, path, permissionOf(effective(), path)),
    own: () => source.own(),
    delegated: () => source.delegated(),
    effective,
    parent: () => source.parent(),
    children: () => source.children(),
    fence: (signal) => source.fence(signal),
  };
}

/** Absolute. */
type OwnPlaces = {
  readonly registry: string;
  /** Manifests and prompts that made the Pod. */
  readonly manifests: readonly string[];
  /** The root of a project that the user has not trusted: what it brought as configuration is none of its agent's files. */
  readonly untrusted: string | null;
  /** What a key is read from. */
  readonly secrets: readonly string[];
};

/** What this Pod's daemon keeps to itself. */
export async function findOwnFiles(
  paths: PodPaths,
  { registry, manifests, untrusted, secrets }: OwnPlaces,
): Promise<OwnFiles> {
  const { runtimeRoot, stateRoot, config, spool } = paths;
  const closed = [runtimeRoot, stateRoot, registry, ...secrets];
  if (config !== null) closed.push(config);
  if (untrusted !== null) closed.push(join(untrusted, '.podd'));
  return {
    closed: await namesOf(closed),
    readOnly: await namesOf(manifests),
    kept: await namesOf([spool]),
  };
}

// As given, since what does not exist yet is made under that name, and with links followed, which is how it is judged.
async function namesOf(places: readonly string[]): Promise<string[]> {
  const names = new Set<string>();
  for (const place of places) {
    names.add(resolve(place));
    const canonical = await canonicalPath(place);
    if (canonical !== null) names.add(canonical);
  }
  return [...names];
}
