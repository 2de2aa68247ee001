/** Names longer than this are not compared: the cost grows with the square of the length. */
const NAME_UNITS_MAX = 64;

/** The known name that `name` was probably meant to be, or undefined where none is near. The first of equals wins. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (name.length > NAME_UNITS_MAX) return undefined;
  const folded = fold(name);
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const other = fold(candidate);
    const most = Math.max(1, Math.floor(Math.max(folded.length, other.length) / 3));
    if (other.length > NAME_UNITS_MAX || Math.abs(other.length - folded.length) > most) continue;
    const distance = editDistance(folded, other);
    if (distance > most || distance >= bestDistance) continue;
    // A one-letter name is one edit from every other one: that says nothing.
    if (distance >= Math.max(folded.length, other.length)) continue;
    best = candidate;
    bestDistance = distance;
  }
  return best;
}

/** `maxTurns`, `max-turns` and `max_turns` are one name to whoever types it. */
function fold(name: string): string {
  return name.toLowerCase().replaceAll(/[_-]/g, '');
}

/** Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (row > 1 && column > 1 && swapped)
        cost = Math.min(cost, (beforeLast[column - 2] ?? 0) + 1);
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? 0;
}
