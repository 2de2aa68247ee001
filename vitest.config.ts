import { defineConfig } from 'vitest/config';

const slowness = Number(process.env['PODD_TEST_SLOWNESS'] ?? '1');

/** Tests of the built daemon run one file at a time: they measure, kill and wait. */
const built = { globalSetup: ['test/support/build-once.ts'], fileParallelism: false };

export default defineConfig({
  test: {
    pool: 'forks',
    retry: 0,
    allowOnly: false,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts', 'test/model/**/*.test.ts', 'test/*.test.ts'],
          testTimeout: 5_000 * slowness,
        },
      },
      {
        extends: true,
        test: {
          name: 'contract',
          include: ['test/contract/**/*.test.ts'],
          testTimeout: 20_000 * slowness,
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          testTimeout: 20_000 * slowness,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 30_000 * slowness,
          hookTimeout: 30_000 * slowness,
          ...built,
        },
      },
      {
        extends: true,
        test: {
          name: 'crash',
          include: ['test/crash/**/*.test.ts'],
          testTimeout: 120_000 * slowness,
          ...built,
        },
      },
      {
        extends: true,
        test: {
          name: 'sabotage',
          include: ['test/sabotage/**/*.test.ts'],
          testTimeout: 180_000 * slowness,
        },
      },
    ],
  },
});
