import { readFileSync } from 'node:fs';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Allocation, ProcessIdentity, RegistryTable } from '../../protocol/registry.ts';
import type { ScopeRule } from '../../protocol/scope.ts';
import type { Log } from '../../daemon/ports/log.ts';
import type { Lease, LeaseRequest } from '../../daemon/scope/lease.ts';
import { claimLease } from '../../daemon/scope/lease.ts';
import { createLivenessCheck, readOwnIdentity } from '../../daemon/scope/process-identity.ts';
import { openRegistryFolder } from '../../daemon/scope/registry-folder.ts';
import { Registry } from '../../daemon/scope/registry.ts';
import { SILENT } from './temp-journal.ts';

/** No process has it: its holder counts as dead. */
export const DEAD_PID = 4_194_305;

export type LogLine = {
  readonly level: keyof Log;
  readonly message: string;
  readonly fields: unknown;
};

/** A registry in a folder of its own, with the lock that a fresh folder gets; claims are this test process's. */
export class TempRegistry implements AsyncDisposable {
  readonly folder: string;
  readonly registry: Registry;
  readonly identity: ProcessIdentity;
  readonly lines: readonly LogLine[];

  private constructor(registry: Registry, identity: ProcessIdentity, lines: readonly LogLine[]) {
    this.folder = registry.folder;
    this.registry = registry;
    this.identity = identity;
    this.lines = lines;
  }

  static async open(folder?: string): Promise<TempRegistry> {
    const place = folder ?? (await realpath(await mkdtemp(join(tmpdir(), 'podd-registry-'))));
    const lines: LogLine[] = [];
    const at =
      (level: keyof Log): Log[keyof Log] =>
      (message, fields) =>
        lines.push({ level, message, fields });
    const log: Log = { ...SILENT, info: at('info'), warn: at('warn'), error: at('error') };
    const identity = await readOwnIdentity();
    const lock = await openRegistryFolder(place, { wanted: undefined, log });
    const liveness = createLivenessCheck(identity);
    const registry = new Registry({ folder: place, lock, liveness, log });
    return new TempRegistry(registry, identity, lines);
  }

  request(
    pod: string,
    targets: readonly string[],
    changes: Partial<LeaseRequest> = {},
  ): LeaseRequest {
    return {
      pod,
      store: `/state/${pod}`,
      // It exists, as a socket of a Pod that serves does: nobody waits for this holder to go.
      socket: '/proc/self/stat',
      scope: { allow: targets.map(writes), deny: [] },
      version: '0.0.0',
      identity: this.identity,
      now: () => 1_000,
      ...changes,
    };
  }

  async claim(
    pod: string,
    targets: readonly string[],
    changes: Partial<LeaseRequest> = {},
  ): Promise<Lease> {
    const signal = new AbortController().signal;
    return await claimLease(this.registry, this.request(pod, targets, changes), signal);
  }

  /** The table as it lies on disk. */
  table(): RegistryTable {
    return JSON.parse(readFileSync(join(this.folder, 'scope.json'), 'utf8')) as RegistryTable;
  }

  row(pod: string): Allocation | undefined {
    return this.table().allocations.find((row) => row.pod === pod);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

export function writes(target: string): ScopeRule {
  return { target, permission: 'write', recursive: true };
}
