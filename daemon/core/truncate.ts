/** Cuts at a code point boundary, so that at most `bytesMax` bytes of UTF-8 are left. */
export function cutUtf8(text: string, bytesMax: number): string {
  // A UTF-16 unit is at least one byte, so most texts need no encoding to know that they fit.
  if (text.length * 3 <= bytesMax) return text;
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length <= bytesMax) return text;
  return bytes.toString('utf8', 0, boundaryBefore(bytes, bytesMax));
}

/**
 * Cuts to `bytesMax` with a last line that says how much is gone, and `more` of that. The line is within the limit; where
 * it would not fit, `more` is left out, never cut: it may be a path.
 */
export function cutWithMark(
  text: string,
  bytesMax: number,
  more = '',
): { readonly text: string; readonly truncated: boolean } {
  const whole = Buffer.byteLength(text, 'utf8');
  if (whole <= bytesMax) return { text, truncated: false };
  // Reserved for the longest mark, so that the mark's own digits can't push it over the limit.
  const withMore = Buffer.byteLength(mark(whole, more), 'utf8');
  if (more !== '' && withMore > bytesMax) return cutWithMark(text, bytesMax);
  const kept = cutUtf8(text, Math.max(0, bytesMax - withMore));
  const gone = whole - Buffer.byteLength(kept, 'utf8');
  return { text: cutUtf8(`${kept}${mark(gone, more)}`, bytesMax), truncated: true };
}

/**
 * The UTF-8 of a text; of one that is too long its head and its tail, at code point boundaries, with a line between them
 * that says how much is gone. That line is within `headBytes`, which has room for it.
 */
export function cutMiddle(
  text: string,
  { headBytes, tailBytes }: { readonly headBytes: number; readonly tailBytes: number },
): { readonly pieces: readonly Uint8Array[]; readonly bytesGone: number } {
  const whole = Buffer.from(text, 'utf8');
  if (whole.length <= headBytes + tailBytes) return { pieces: [whole], bytesGone: 0 };
  const headEnd = boundaryBefore(whole, headBytes - middleMark(whole.length).length);
  const tailStart = boundaryAfter(whole, whole.length - tailBytes);
  const bytesGone = tailStart - headEnd;
  const line = Buffer.from(middleMark(bytesGone), 'utf8');
  return { pieces: [whole.subarray(0, headEnd), line, whole.subarray(tailStart)], bytesGone };
}

function mark(bytes: number, more: string): string {
  return `\n[cut: ${bytes} more bytes${more}]`;
}

function middleMark(bytes: number): string {
  return `\n[cut: ${bytes} bytes are missing here]\n`;
}

function boundaryBefore(bytes: Uint8Array, at: number): number {
  let end = Math.max(0, at);
  while (end > 0 && isInside(bytes, end)) end -= 1;
  return end;
}

function boundaryAfter(bytes: Uint8Array, at: number): number {
  let start = at;
  while (start < bytes.length && isInside(bytes, start)) start += 1;
  return start;
}

function isInside(bytes: Uint8Array, at: number): boolean {
  return ((bytes[at] ?? 0) & 0xc0) === 0x80;
}
