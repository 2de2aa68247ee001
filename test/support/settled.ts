import { deadline } from './slowness.ts';

/** Waits until `read` answers the same for a while; throws when it goes on changing. */
export async function settled(read: () => number, whileMs = 200): Promise<number> {
  const end = Date.now() + deadline(10_000);
  let value = read();
  for (let since = Date.now(); Date.now() - since < deadline(whileMs); ) {
    if (Date.now() > end) throw new Error(`it went on changing, to ${value} at last`);
    await new Promise((resolve) => setTimeout(resolve, 5));
    const next = read();
    if (next !== value) since = Date.now();
    value = next;
  }
  return value;
}
