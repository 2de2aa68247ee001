import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bundleFixture } from '../support/bundle-fixture.ts';
import { deadline } from '../support/slowness.ts';
import { tempFolder } from '../support/temp-folder.ts';
import { TempRegistry } from '../support/temp-registry.ts';
import { until } from '../support/until.ts';

const PROCESSES = 100;
const PLACES = 12;
const ROUNDS = 4;

type Claimer = { readonly child: ChildProcess; ready: boolean };

describe('Registry', () => {
  test(
    'SCOPE-12 SCOPE-7 SCOPE-11: of 100 processes that claim at once a third is killed; nobody owns twice, no update is lost, no lock stays',
    async () => {
      await using temp = await tempFolder();
      await using fixture = await bundleFixture('claim-loop.ts');
      const seed = Number(process.env['PODD_TEST_SEED'] ?? Date.now() % 1_000_000);
      const registry = join(temp.path, 'registry');
      mkdirSync(join(temp.path, 'marks'));
      writeFileSync(join(temp.path, 'marks/log'), '');
      const claimers = Array.from({ length: PROCESSES }, (_, index): Claimer => {
        const args = [fixture.path, registry, `p${index}`, PLACES, ROUNDS, seed + index].map(
          String,
        );
        const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
        const claimer: Claimer = { child, ready: false };
        child.stdout.once('data', () => (claimer.ready = true));
        child.stdin.on('error', () => undefined);
        return claimer;
      });
      try {
        await until(
          () => claimers.every(({ ready }) => ready),
          'all processes to be ready',
          60_000,
        );
        const ends = claimers.map(({ child }) => once(child, 'exit'));
        for (const { child } of claimers) child.stdin?.end('go');
        await killSome(claimers, seed);
        const late = until(
          () => claimers.every(({ child }) => child.exitCode !== null || child.signalCode !== null),
          'all processes to end',
          60_000,
        );
        await Promise.all([...ends, late]);
      } finally {
        for (const { child } of claimers) child.kill('SIGKILL');
      }
      const log = readFileSync(join(temp.path, 'marks/log'), 'utf8').trim().split('\n');
      const told = (what: string): string[] => log.filter((line) => line.split(' ')[1] === what);
      const why = `seed ${seed}`;
      expect(told('twice'), why).toEqual([]);
      expect(told('failed'), why).toEqual([]);
      expect(told('lost'), why).toEqual([]);
      // An update that is lost takes its epoch with it, and the next one gets the same again.
      const epochs = told('got').map((line) => Number(line.split(' ')[2]));
      expect(new Set(epochs).size, why).toBe(epochs.length);
      expect(epochs.length, why).toBeGreaterThan(PROCESSES / 3);
      expect(told('refused').length, why).toBeGreaterThan(0);

      await using after = await TempRegistry.open(registry);
      await using lease = await after.claim('last', ['/places']);
      expect(lease.epoch, why).toBeGreaterThan(Math.max(...epochs));
      expect(after.table().allocations.map(({ pod }) => pod)).toEqual(['last']);
      expect(readdirSync(registry).sort()).toEqual([
        'last',
        'lock.json',
        'scope.json',
        'scope.lock',
      ]);
    },
    deadline(120_000),
  );
});

/** A third of them, one after the other, while the others work. */
async function killSome(claimers: readonly Claimer[], seed: number): Promise<void> {
  for (let n = 0; n < PROCESSES / 3; n += 1) {
    const victim = claimers[(seed + n * 3) % PROCESSES];
    // How far it has come is luck; that is the point.
    await new Promise((resolve) => setTimeout(resolve, (seed + n) % 40));
    victim?.child.kill('SIGKILL');
  }
}
