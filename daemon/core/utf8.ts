/** The text, or null if the bytes are not valid UTF-8. A byte order mark is kept as U+FEFF. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** No half of a surrogate pair: encoding such a half would write U+FFFD in its place. */
export function isWellFormed(text: string): boolean {
  return !/\p{Surrogate}/u.test(text);
}
