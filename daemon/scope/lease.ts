import { lstat } from 'node:fs/promises';
import type { Allocation, ProcessIdentity, RegistryTable } from '../../protocol/registry.ts';
import type { ScopeRules } from '../../protocol/scope.ts';
import { assertNever } from '../core/assert.ts';
import { Cancelled } from '../core/cancel.ts';
import { Fault } from '../core/fault.ts';
import { LIMITS } from '../core/limits.ts';
import { ok } from '../core/result.ts';
import type { Claimant, TableRefusal } from '../core/scope-table.ts';
import { claim, delegatedBy, raiseEpoch, release, rowFor } from '../core/scope-table.ts';
import { deferred } from '../support/deferred.ts';
import { withDeadline } from '../support/with-deadline.ts';
import { pause } from './lock-wait.ts';
import type { FileMark } from './table-file.ts';
import { isMissing, markOf, readTable } from './table-file.ts';
import type { Registry } from './registry.ts';

export type LeaseRequest = {
  readonly pod: string;
  /** The folder of the Pod's store. */
  readonly store: string;
  readonly socket: string;
  readonly scope: ScopeRules;
  readonly version: string;
  readonly identity: ProcessIdentity;
  readonly now: () => number;
};

/**
 * Claims name and scope for this process. A holder without a socket is on its way in or out: it is waited for a
 * moment. Throws `taken` naming who is in the way and where.
 */
export async function claimLease(
  registry: Registry,
  request: LeaseRequest,
  signal: AbortSignal,
): Promise<Lease> {
  const { scope, identity, now, ...facts } = request;
  const { pod } = request;
  const end = performance.now() + LIMITS.leavingHolderMs;
  for (;;) {
    const who: Claimant = { ...facts, ...identity, at: now() };
    const { answer, table, mark } = await registry.change(
      { pod, pid: identity.pid },
      (before) => {
        const claimed = claim(before, who, scope);
        if (!claimed.ok) return claimed;
        return ok({ table: claimed.value.table, value: claimed.value.row });
      },
      signal,
    );
    if (answer.ok) return new Lease(registry, answer.value, { table, mark });
    if (!(await isInPassing(answer.error)) || performance.now() > end)
      throw toFault(pod, answer.error);
    await pause(LIMITS.leavingHolderMs / 40, signal);
  }
}

/**
 * What this process owns in the registry, until it is released. It is the owner's view too: own scope, what is
 * delegated away, and whether the row still stands.
 */
export class Lease implements AsyncDisposable {
  readonly #registry: Registry;
  readonly #lost = deferred<undefined>();
  #row: Allocation;
  #delegated: ScopeRules = { allow: [], deny: [] };
  #children: readonly string[] = [];
  #mark: FileMark | null = null;
  #state: 'held' | 'lost' | 'left' = 'held';

  constructor(
    registry: Registry,
    row: Allocation,
    known: { readonly table: RegistryTable; readonly mark: FileMark | null },
  ) {
    this.#registry = registry;
    this.#row = row;
    this.#see(known.table, known.mark);
  }

  get epoch(): number {
    return this.#row.epoch;
  }

  get isLost(): boolean {
    return this.#state === 'lost';
  }

  /** Resolves when the row was found gone. */
  get lost(): Promise<undefined> {
    return this.#lost.promise;
  }

  own(): ScopeRules {
    return { allow: this.#row.allow, deny: this.#row.deny };
  }

  delegated(): ScopeRules {
    return this.#delegated;
  }

  /** The Pod above it: who gave it its scope, or inherited it. */
  parent(): string | null {
    return this.#row.delegatedFrom;
  }

  children(): readonly string[] {
    return this.#children;
  }

  /** Raises the epoch above one that the Pod's own store remembers, in the registry and here. */
  async raiseEpoch(above: number, signal: AbortSignal): Promise<number> {
    if (this.#row.epoch > above) return this.#row.epoch;
    const { answer, table, mark } = await this.#registry.change(
      this.#row,
      (before) => {
        const raised = raiseEpoch(before, this.#row, above);
        if (!raised.ok) return raised;
        return ok({ table: raised.value.table, value: raised.value.row });
      },
      signal,
    );
    if (!answer.ok) throw toFault(this.#row.pod, answer.error);
    this.#row = answer.value;
    this.#see(table, mark);
    return this.#row.epoch;
  }

  /**
   * Is the row still ours? One stat, unless the table has changed since the last look. `lost` is final. It throws when
   * the registry can't be asked: that is no answer.
   */
  async fence(signal: AbortSignal): Promise<'held' | 'lost'> {
    if (this.#state !== 'held') return 'lost';
    const mark = await markOf(this.#registry.folder);
    if (mark !== null && isSame(mark, this.#mark)) return 'held';
    const now = await this.#readAgain(signal);
    const row = rowFor(now.table, this.#row.pod);
    if (row?.epoch === this.#row.epoch && isSameHolder(row, this.#row)) {
      this.#row = row;
      this.#see(now.table, now.mark);
      return 'held';
    }
    this.#state = 'lost';
    this.#lost.resolve(undefined);
    return 'lost';
  }

  /** Something of this process may still write: the row is left to whoever sees that the process is gone. */
  leave(): void {
    if (this.#state === 'held') this.#state = 'left';
  }

  /** Gives everything back; children go to this Pod's own parent. What fails is left to whoever sees the process gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state !== 'held') return;
    this.#state = 'left';
    const { pod, epoch } = this.#row;
    const limit = { what: 'releasing the scope', ms: LIMITS.releaseMs };
    try {
      await withDeadline(new AbortController().signal, limit, async (within) => {
        await this.#registry.change(
          this.#row,
          (table) => ok({ table: release(table, pod, epoch), value: null }),
          within,
        );
      });
    } catch (error) {
      if (!(error instanceof Fault || error instanceof Cancelled)) throw error;
      // Its process is about to end, and whoever comes next sees that.
      this.#registry.log.warn('the scope could not be released', { err: error });
    }
  }

  async #readAgain(
    signal: AbortSignal,
  ): Promise<{ readonly table: RegistryTable; readonly mark: FileMark | null }> {
    const read = await readTable(this.#registry.folder);
    if (read.kind === 'found') return read;
    // Gone or damaged: what is rebuilt from the live Pods' rows has ours.
    return await this.#registry.change(this.#row, (table) => ok({ table, value: null }), signal);
  }

  #see(table: RegistryTable, mark: FileMark | null): void {
    const { pod } = this.#row;
    this.#delegated = delegatedBy(table, pod);
    this.#children = table.allocations
      .filter(({ delegatedFrom }) => delegatedFrom === pod)
      .map((child) => child.pod);
    this.#mark = mark;
  }
}

// In containers pids repeat, and a registry that was lost begins its epochs anew.
function isSameHolder(a: Allocation, b: Allocation): boolean {
  return (
    a.pid === b.pid &&
    a.startedAt === b.startedAt &&
    a.bootId === b.bootId &&
    a.pidNamespace === b.pidNamespace &&
    a.store === b.store
  );
}

function isSame(a: FileMark, b: FileMark | null): boolean {
  return a.ino === b?.ino && a.mtimeNs === b.mtimeNs;
}

/** A claim comes before its socket, a release after it. */
async function isInPassing(refusal: TableRefusal): Promise<boolean> {
  if (refusal.kind !== 'name_taken' && refusal.kind !== 'overlap') return false;
  try {
    await lstat(refusal.owner.socket);
    return false;
  } catch (error) {
    return isMissing(error);
  }
}

function toFault(pod: string, refusal: TableRefusal): Fault {
  const data = { refusal: refusal.kind };
  switch (refusal.kind) {
    case 'name_taken':
      return new Fault(
        'taken',
        `Pod ${pod} is running already (pid ${refusal.owner.pid}): stop it with podctl stop ${pod}, or use another pod.name`,
        { data },
      );
    case 'overlap': {
      const { owner, path } = refusal;
      return new Fault(
        'taken',
        `${path} is written by Pod ${owner.pod} (pid ${owner.pid}): no two Pods write the same files. Stop it with podctl stop ${owner.pod}, or give this Pod another scope (podctl scope shows who owns what)`,
        { data },
      );
    }
    case 'not_registered':
      return new Fault('taken', `Pod ${refusal.pod} has no entry in the scope registry any more`, {
        data,
      });
    case 'not_covered':
      return new Fault(
        'taken',
        `${refusal.rule.permission} on ${refusal.rule.target} is no longer within what Pod ${refusal.owner.pod} (pid ${refusal.owner.pid}) has`,
        { data },
      );
    case 'no_such_delegation':
      return new Fault('taken', `no scope was delegated to Pod ${refusal.pod}`, { data });
    default:
      return assertNever(refusal, 'toFault');
  }
}
