/** Cuts at a code point boundary, so that at most `bytesMax` bytes of UTF-8 are left. */
export function cutUtf8(text: string, bytesMax: number): string {
  // A UTF-16 unit is at least one byte, so most texts need no encoding to know that they fit.
  if (text.length * 3 <= bytesMax) return text;
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length <= bytesMax) return text;
  let end = Math.max(0, bytesMax);
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end);
}

/** Cuts to `bytesMax` with a last line that says how much is gone. That line is within the limit. */
export function cutWithMark(
  text: string,
  bytesMax: number,
): { readonly text: string; readonly truncated: boolean } {
  const whole = Buffer.byteLength(text, 'utf8');
  if (whole <= bytesMax) return { text, truncated: false };
  // Reserved for the longest mark, so that the mark's own digits can't push it over the limit.
  const kept = cutUtf8(text, Math.max(0, bytesMax - mark(whole).length));
  const gone = whole - Buffer.byteLength(kept, 'utf8');
  return { text: cutUtf8(`${kept}${mark(gone)}`, bytesMax), truncated: true };
}

function mark(bytes: number): string {
  return `\n[cut: ${bytes} more bytes]`;
}
