/** How long a test may take at home before it fails, by its folder, in milliseconds. */
export const TEST_LIMIT_MS = {
  unit: 5_000,
  model: 5_000,
  contract: 20_000,
  integration: 20_000,
  e2e: 30_000,
  crash: 120_000,
  sabotage: 180_000,
} as const;
