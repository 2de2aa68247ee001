import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  REGISTRY_FILES,
  REGISTRY_FORMAT,
  type Allocation,
  type RegistryTable,
} from '../../protocol/registry.ts';
import type { ScopeRule } from '../../protocol/scope.ts';

/** A root that owns `/w/POD`, of a process that this machine has never had. */
export function allocationOf(changes: Partial<Allocation> & { readonly pod: string }): Allocation {
  const { pod } = changes;
  return {
    store: `/state/pods/${pod}`,
    pid: 4_000_000,
    startedAt: 1,
    bootId: 'boot-1',
    pidNamespace: 'pid:[1]',
    socket: `/run/podd/${pod}/sock`,
    allow: [mayWrite(`/w/${pod}`)],
    deny: [],
    delegatedFrom: null,
    origin: null,
    ancestors: [],
    epoch: 1,
    claimedAt: Date.UTC(2026, 0, 2, 3, 4, 5),
    version: '0.1.0',
    ...changes,
  };
}

export function tableOf(...allocations: readonly Allocation[]): RegistryTable {
  const epoch = allocations.reduce((largest, row) => Math.max(largest, row.epoch), 0);
  return { format: REGISTRY_FORMAT, rev: allocations.length, epoch, allocations: [...allocations] };
}

export function mayWrite(target: string): ScopeRule {
  return { target, permission: 'write', recursive: true };
}

export function mayRead(target: string): ScopeRule {
  return { target, permission: 'read', recursive: true };
}

/** Puts `table`, or any text, where the registry of that folder is looked for. Answers the file's path. */
export async function writeTable(folder: string, table: RegistryTable | string): Promise<string> {
  const path = join(folder, REGISTRY_FILES.table);
  await mkdir(folder, { recursive: true });
  await writeFile(path, typeof table === 'string' ? table : JSON.stringify(table));
  return path;
}
