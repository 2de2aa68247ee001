import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { TEST_LIMIT_MS } from './test/support/time-limits.ts';

const slowness = Number(process.env['PODD_TEST_SLOWNESS'] ?? '1');

const built = { globalSetup: ['test/support/build-once.ts'] };

/**
 * One process for many files: to start one and to read the sources again took most of the time of a short file. What is
 * of a whole process (timers, umask, listeners) is put back by the test that changes it.
 */
const sharesProcess = { isolate: false };

/** In a group of their own, since a group has one number of processes. */
const behindE2e = { sequence: { groupOrder: 1 } };

/** Those that need one to themselves. */
const ALONE = [
  // It shows what the bare template engine does; whoever imports ours locks it for the whole process.
  'test/unit/prompt/template-naive.test.ts',
  // It measures the memory of its own process.
  'test/unit/rpc/event-hub.test.ts',
];

/** Vitest's own default leaves a core free, which is half of a machine with two. More would wait for the same disk. */
const maxWorkers = Math.max(2, availableParallelism() - 1);

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers,
    retry: 0,
    allowOnly: false,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          ...behindE2e,
          include: ['test/unit/**/*.test.ts', 'test/model/**/*.test.ts', 'test/*.test.ts'],
          exclude: ALONE,
          testTimeout: TEST_LIMIT_MS.unit * slowness,
          ...sharesProcess,
        },
      },
      {
        extends: true,
        test: {
          name: 'unit-alone',
          ...behindE2e,
          include: ALONE,
          testTimeout: TEST_LIMIT_MS.unit * slowness,
        },
      },
      {
        extends: true,
        test: {
          name: 'contract',
          ...behindE2e,
          include: ['test/contract/**/*.test.ts'],
          testTimeout: TEST_LIMIT_MS.contract * slowness,
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          ...behindE2e,
          include: ['test/integration/**/*.test.ts'],
          testTimeout: TEST_LIMIT_MS.integration * slowness,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: TEST_LIMIT_MS.e2e * slowness,
          hookTimeout: TEST_LIMIT_MS.e2e * slowness,
          // They wait for clocks and servers; the others, behind them, for the same disk.
          maxWorkers: maxWorkers + 1,
          sequence: { groupOrder: 0 },
          ...sharesProcess,
          ...built,
        },
      },
      {
        extends: true,
        test: {
          name: 'crash',
          ...behindE2e,
          include: ['test/crash/**/*.test.ts'],
          testTimeout: TEST_LIMIT_MS.crash * slowness,
          ...built,
        },
      },
      {
        extends: true,
        test: {
          name: 'sabotage',
          ...behindE2e,
          include: ['test/sabotage/**/*.test.ts'],
          testTimeout: TEST_LIMIT_MS.sabotage * slowness,
        },
      },
    ],
  },
});
