import { deadline } from './slowness.ts';

/** Looks again and again until `holds`; throws when the deadline has passed. */
export async function until(holds: () => boolean, what: string, limitMs = 5_000): Promise<void> {
  const end = Date.now() + deadline(limitMs);
  while (!holds()) {
    if (Date.now() > end) throw new Error(`${what} did not come true in ${deadline(limitMs)} ms`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
