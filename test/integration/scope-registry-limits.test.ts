import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LIMITS } from '../../daemon/core/limits.ts';
import type { HeldLock, RegistryLock } from '../../daemon/scope/registry-lock.ts';
import { claimLease } from '../../daemon/scope/lease.ts';
import { Registry } from '../../daemon/scope/registry.ts';
import { deadline } from '../support/slowness.ts';
import { SILENT } from '../support/temp-journal.ts';
import { TempRegistry, writes } from '../support/temp-registry.ts';

const SIGNAL = new AbortController().signal;
const NOTHING = (): Promise<void> => Promise.resolve();

/** The registry in the same folder, guarded by a lock of the test's. */
function guardedBy(at: TempRegistry, acquire: RegistryLock['acquire']): Registry {
  const lock: RegistryLock = { kind: 'portable', acquire };
  return new Registry({ folder: at.folder, lock, liveness: () => 'live', log: SILENT });
}

function lockThat(isOurs: () => boolean): RegistryLock['acquire'] {
  const held: HeldLock = {
    isOurs: () => Promise.resolve(isOurs()),
    [Symbol.asyncDispose]: NOTHING,
  };
  return () => Promise.resolve(held);
}

describe('Registry', () => {
  test('SCOPE-5: a change whose lock was lost changes nothing, is made anew, and is given up after a few times', async () => {
    await using at = await TempRegistry.open();
    await using _first = await at.claim('first', ['/first']);
    const before = readFileSync(join(at.folder, 'scope.json'), 'utf8');
    let asked = 0;
    const never = guardedBy(
      at,
      lockThat(() => {
        asked += 1;
        return false;
      }),
    );
    await expect(claimLease(never, at.request('a', ['/a']), SIGNAL)).rejects.toMatchObject({
      code: 'taken',
      message: expect.stringContaining('its lock was lost') as string,
    });
    expect(asked).toBe(LIMITS.registryAttempts);
    expect(readFileSync(join(at.folder, 'scope.json'), 'utf8')).toBe(before);
    expect(readdirSync(at.folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);

    let lost = 2;
    const sometimes = guardedBy(
      at,
      lockThat(() => (lost -= 1) < 0),
    );
    const lease = await claimLease(sometimes, at.request('a', ['/a']), SIGNAL);
    expect(at.row('a')?.epoch).toBe(lease.epoch);
  });

  test('INV-12: a table over its size is not written, and one that is there counts as damaged', async () => {
    await using at = await TempRegistry.open();
    await using lease = await at.claim('a', ['/a']);
    const targets = Array.from({ length: 200 }, (_, n) => writes(`/${'x'.repeat(50_000)}${n}`));
    const scope = { allow: targets, deny: [] };
    await expect(at.claim('big', [], { scope })).rejects.toMatchObject({
      code: 'cannot_create',
      message: expect.stringContaining(String(LIMITS.registryBytes)) as string,
    });
    expect(at.table().allocations.map(({ pod }) => pod)).toEqual(['a']);
    expect(readdirSync(at.folder)).not.toContain('big');
    const path = join(at.folder, 'scope.json');
    writeFileSync(path, readFileSync(path, 'utf8').padEnd(LIMITS.registryBytes + 1));
    expect(await lease.fence(SIGNAL)).toBe('held');
    expect(readFileSync(path, 'utf8').length).toBeLessThan(10_000);
  });

  test('INV-6 SCOPE-10: a release that gets no lock in its time leaves its row to whoever comes next', async () => {
    await using at = await TempRegistry.open();
    let stuck = false;
    const registry = guardedBy(at, async (_holder, signal) => {
      if (stuck)
        await new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reject(signal.reason as Error);
          });
        });
      return await lockThat(() => true)(_holder, signal);
    });
    const lease = await claimLease(registry, at.request('a', ['/a']), SIGNAL);
    stuck = true;
    const begun = performance.now();
    await lease[Symbol.asyncDispose]();
    const took = performance.now() - begun;
    expect(took).toBeGreaterThanOrEqual(LIMITS.releaseMs - 10);
    expect(took).toBeLessThan(deadline(LIMITS.releaseMs + 500));
    expect(at.row('a')).toBeDefined();
  });
});
