/**
 * Pure. The same text with each control character, and each that only turns the text around it, as an escape: what
 * reads it may be a terminal, and one line is to stay one.
 */
export function showControls(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]|[\u2028\u2029]|\p{Cf}/gu, (character) => {
    const escaped = JSON.stringify(character).slice(1, -1);
    if (escaped !== character) return escaped;
    return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
  });
}
