import { readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Allocation, Liveness, RegistryTable } from '../../protocol/registry.ts';
import { REGISTRY_FILES } from '../../protocol/registry.ts';
import { Fault } from '../core/fault.ts';
import { LIMITS } from '../core/limits.ts';
import type { Result } from '../core/result.ts';
import { EMPTY_TABLE, rebuild, reclaim } from '../core/scope-table.ts';
import type { TableRefusal } from '../core/scope-table.ts';
import type { Log } from '../ports/log.ts';
import { ignore } from '../support/deferred.ts';
import {
  readAllocation,
  readAllocations,
  removeAllocation,
  removeUnwritten,
  writeAllocation,
} from './allocation-files.ts';
import { toFault } from './registry-fault.ts';
import type { HeldLock, LockHolder, RegistryLock } from './registry-lock.ts';
import type { FileMark } from './table-file.ts';
import { moveAside, readTable, replaceTable } from './table-file.ts';

export type RegistryParts = {
  readonly folder: string;
  readonly lock: RegistryLock;
  readonly liveness: (row: Allocation) => Liveness;
  readonly log: Log;
};

/** A change as data: it sees the table without the dead, and answers the next one or why not. */
export type Change<T> = (
  table: RegistryTable,
) => Result<{ readonly table: RegistryTable; readonly value: T }, TableRefusal>;

/** What a change left: the table on disk and its mark. */
export type Outcome<T> = {
  readonly answer: Result<T, TableRefusal>;
  readonly table: RegistryTable;
  readonly mark: FileMark | null;
};

/** `mark` is null where there is no table: it was made of the rows. */
type Found = { readonly table: RegistryTable; readonly mark: FileMark | null };

/** The machine's table of who owns what, for one user. Every change is one critical section and one rename. */
export class Registry {
  readonly folder: string;
  readonly log: Log;
  readonly #parts: RegistryParts;
  #swept = false;

  constructor(parts: RegistryParts) {
    this.folder = parts.folder;
    this.log = parts.log;
    this.#parts = parts;
  }

  /**
   * Reclaims the dead, then does `change`; both are one replacement of the file. All or nothing: a process that dies
   * in here leaves the old table or the new one. Throws `taken` when the lock can't be had in time.
   */
  async change<T>(holder: LockHolder, change: Change<T>, signal: AbortSignal): Promise<Outcome<T>> {
    for (let attempt = 1; attempt <= LIMITS.registryAttempts; attempt += 1) {
      await using lock = await this.#parts.lock.acquire(holder, signal);
      const outcome = await this.#changeLocked(change, lock).catch((error: unknown) => {
        throw toFault(this.folder, error);
      });
      if (outcome !== null) return outcome;
      this.log.warn('the registry’s lock was lost before its end; once more', { attempt });
    }
    throw new Fault(
      'taken',
      `the scope registry ${this.folder} is busy: its lock was lost ${LIMITS.registryAttempts} times; try again later`,
    );
  }

  /** Null: the lock was not ours any more, and nothing has changed. */
  async #changeLocked<T>(change: Change<T>, lock: HeldLock): Promise<Outcome<T> | null> {
    const found = await this.#read();
    await this.#sweep(found);
    const living = this.#reclaim(found.table);
    const decided = change(living);
    const next = decided.ok ? decided.value.table : living;
    const answer: Result<T, TableRefusal> = decided.ok
      ? { ok: true, value: decided.value.value }
      : decided;
    if (next === found.table && found.mark !== null)
      return { answer, table: next, mark: found.mark };
    const table = { ...next, rev: found.table.rev + 1 };
    const mark = await this.#write(found.table, table, lock);
    return mark === null ? null : { answer, table, mark };
  }

  async #read(): Promise<Found> {
    const read = await readTable(this.folder);
    if (read.kind === 'found') return read;
    const { rows, unreadable } = await readAllocations(this.folder);
    const living = rows.filter((row) => this.#parts.liveness(row) !== 'dead');
    const last = rows.reduce((largest, { epoch }) => Math.max(largest, epoch), 0);
    const table = rebuild(living, last);
    if (read.kind === 'damaged') {
      const aside = await moveAside(this.folder);
      this.log.error('the scope registry was damaged and is rebuilt from the live Pods', {
        why: read.why,
        aside,
        pods: living.map(({ pod }) => pod),
        unreadable,
      });
    } else if (living.length > 0)
      this.log.error('the scope registry was gone and is rebuilt from the live Pods', {
        pods: living.map(({ pod }) => pod),
        unreadable,
      });
    return { table: living.length === 0 && last === 0 ? EMPTY_TABLE : table, mark: null };
  }

  #reclaim(table: RegistryTable): RegistryTable {
    const isDead = (row: Allocation): boolean => this.#parts.liveness(row) === 'dead';
    const { table: living, dead } = reclaim(table, isDead);
    if (dead.length > 0)
      this.log.info('the scope of dead Pods was reclaimed', {
        pods: dead.map(({ pod, pid }) => `${pod} (pid ${pid})`),
      });
    return living;
  }

  /**
   * The rows' own files come first: a process that dies in between is one whose new row counts as dead. Old ones go
   * after the table, so that none is missing which the table has.
   */
  async #write(
    before: RegistryTable,
    table: RegistryTable,
    lock: HeldLock,
  ): Promise<FileMark | null> {
    const known = new Map(before.allocations.map((row) => [row.pod, row]));
    const changed = table.allocations.filter((row) => known.get(row.pod) !== row);
    const rows = Promise.all(changed.map((row) => this.#writeRow(row)));
    ignore(rows, 'it is awaited before the table is replaced');
    let mark: FileMark | null;
    try {
      mark = await replaceTable(this.folder, table, async () => {
        await rows;
        return await lock.isOurs();
      });
    } catch (error) {
      await rows.catch(() => undefined);
      await this.#undoRows(changed, known);
      throw error;
    }
    if (mark === null) return null;
    const names = new Set(table.allocations.map(({ pod }) => pod));
    for (const pod of known.keys()) if (!names.has(pod)) await this.#removeRow(pod);
    return mark;
  }

  async #writeRow(row: Allocation): Promise<void> {
    try {
      await writeAllocation(this.folder, row);
    } catch (cause) {
      throw new Fault(
        'cannot_create',
        `the scope registry ${this.folder} can't be written: check the disk's space and the folder's owner`,
        { cause },
      );
    }
  }

  // A row that was never granted must not come to life when the table is rebuilt.
  async #undoRows(
    changed: readonly Allocation[],
    known: ReadonlyMap<string, Allocation>,
  ): Promise<void> {
    for (const { pod } of changed) {
      const before = known.get(pod);
      if (before === undefined) await this.#removeRow(pod);
      else await this.#writeRow(before).catch(() => undefined);
    }
  }

  async #removeRow(pod: string): Promise<void> {
    try {
      await removeAllocation(this.folder, pod);
    } catch (error) {
      // What is left is the row of a dead process: nobody counts it.
      this.log.warn('the row of a released Pod could not be removed', { pod, err: error });
    }
  }

  /** What processes that died in the middle of a write left behind; once a process. */
  async #sweep({ table, mark }: Found): Promise<void> {
    if (this.#swept) return;
    this.#swept = true;
    const entries = await readdir(this.folder, { withFileTypes: true });
    for (const { name } of entries)
      if (name.startsWith(`${REGISTRY_FILES.table}.`) && name.endsWith('.tmp'))
        await unlink(join(this.folder, name)).catch(() => undefined);
    // Without a table the rows are all there is to know.
    if (mark === null) return;
    const owners = new Set(table.allocations.map(({ pod }) => pod));
    for (const entry of entries) {
      if (!entry.isDirectory() || owners.has(entry.name)) continue;
      const row = await readAllocation(this.folder, entry.name);
      if (row === null) await removeUnwritten(this.folder, entry.name);
      else if (this.#parts.liveness(row) === 'dead') await this.#removeRow(row.pod);
    }
  }
}
