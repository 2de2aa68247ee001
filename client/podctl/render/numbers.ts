const COUNT = new Intl.NumberFormat('en-US');

/** `31,200`: a number of tokens has five digits and more. */
export function showCount(count: number): string {
  return COUNT.format(count);
}

/** Of nothing, nothing is a part. */
export function showPart(part: number, whole: number): string {
  return whole > 0 ? `${Math.round((part / whole) * 100)}%` : '-';
}

/** A request may cost parts of a cent. */
export function showDollars(dollars: number): string {
  return `$${dollars.toFixed(dollars < 1 ? 4 : 2)}`;
}

/** Unix time in milliseconds, to the second and in UTC. */
export function showTime(at: number): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return 'an unknown time';
  const [day = '', clock = ''] = date.toISOString().split('T');
  return `${day} ${clock.slice(0, 8)}`;
}
