import { mkdir, readFile, readdir, rename, rm, rmdir, unlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as v from 'valibot';
import { Allocation, allocationFile } from '../../protocol/registry.ts';
import { Fault } from '../core/fault.ts';
import { isMissing } from './table-file.ts';

/**
 * Each row once more, in a file of its own, for the day when the table is damaged. Not synced: they serve live Pods
 * only, and a power loss leaves none.
 */
export async function writeAllocation(folder: string, row: Allocation): Promise<void> {
  const path = allocationFile(folder, row.pod);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(`${path}.tmp`, `${JSON.stringify(row)}\n`, { mode: 0o600 });
  await rename(`${path}.tmp`, path);
}

export async function removeAllocation(folder: string, pod: string): Promise<void> {
  await rm(dirname(allocationFile(folder, pod)), { recursive: true, force: true });
}

/** All that can be read; `unreadable` names the Pods whose file is no row. */
export async function readAllocations(
  folder: string,
): Promise<{ readonly rows: readonly Allocation[]; readonly unreadable: readonly string[] }> {
  const rows: Allocation[] = [];
  const unreadable: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const row = await readAllocation(folder, entry.name);
    if (row !== null) rows.push(row);
    else unreadable.push(entry.name);
  }
  return { rows, unreadable };
}

/** Removes the folder of a row that was never whole; one that has a row, be it damaged, stays. */
export async function removeUnwritten(folder: string, pod: string): Promise<void> {
  const path = allocationFile(folder, pod);
  await unlink(`${path}.tmp`).catch(() => undefined);
  await rmdir(dirname(path)).catch(() => undefined);
}

/** Null for what is no row, or none that this version understands. */
export async function readAllocation(folder: string, pod: string): Promise<Allocation | null> {
  try {
    const text = await readFile(allocationFile(folder, pod), 'utf8');
    const parsed = v.safeParse(Allocation, JSON.parse(text));
    return parsed.success && parsed.output.pod === pod ? parsed.output : null;
  } catch (error) {
    // What could not be read may be the row of a Pod that lives: that is no "none".
    if (error instanceof SyntaxError || isMissing(error)) return null;
    throw new Fault(
      'cannot_create',
      `the row of Pod ${pod} in the scope registry ${folder} can't be read, so nobody can tell who owns what: try again`,
      { cause: error },
    );
  }
}
