/** How much slower than a workstation this machine may be: 1 at home, 5 in CI. It stretches the spec's deadlines. */
export const SLOWNESS = Number(process.env['PODD_TEST_SLOWNESS'] ?? '1');

/** A deadline as a test asserts it, in milliseconds. */
export function deadline(ms: number): number {
  return ms * SLOWNESS;
}
