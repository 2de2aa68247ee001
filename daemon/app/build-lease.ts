import type { RegistryPlace } from '../../protocol/registry.ts';
import { registryPlace } from '../../protocol/registry.ts';
import { Fault } from '../core/fault.ts';
import type { Log } from '../ports/log.ts';
import type { Lease, LeaseRequest } from '../scope/lease.ts';
import { claimLease } from '../scope/lease.ts';
import { createLivenessCheck } from '../scope/process-identity.ts';
import { openRegistryFolder } from '../scope/registry-folder.ts';
import { Registry } from '../scope/registry.ts';

export type FoundRegistry = Extract<RegistryPlace, { kind: 'found' }>;

/** Throws `cannot_create` where this user has no place for a registry. */
export function findRegistry(
  env: Readonly<Record<string, string | undefined>>,
  userHome: string | null,
): FoundRegistry {
  const place = registryPlace(env, userHome);
  if (place.kind === 'found') return place;
  throw new Fault('cannot_create', place.says);
}

/** Claims the Pod's name and scope in the registry at `place`. What it throws decides the exit code: 73, 75 or 78. */
export async function openLease(
  place: FoundRegistry,
  request: LeaseRequest,
  parts: {
    readonly lockWanted: string | undefined;
    readonly log: Log;
    readonly signal: AbortSignal;
  },
): Promise<Lease> {
  const { lockWanted, log, signal } = parts;
  const lock = await openRegistryFolder(place.path, { wanted: lockWanted, log });
  const liveness = createLivenessCheck(request.identity);
  const registry = new Registry({ folder: place.path, lock, liveness, log });
  return await claimLease(registry, request, signal);
}
