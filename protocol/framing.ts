/**
 * Framing of the wire: UTF-8, one JSON text per line, LF alone ends a line.
 *
 * Node's `readline` is not used: it also splits at U+2028 and U+2029, which are legal inside JSON strings.
 * The decoder is pure: bytes in, lines out. It owns no socket, and its memory is bounded by `lineBytesMax`.
 */

/** A line may hold this many bytes before its LF (16 MiB). A longer one ends its connection. */
export const LINE_BYTES_MAX = 16 * 1024 * 1024;

/** What a chunk completed: a line's text, a line that is not UTF-8, or the line that was too long. */
export type Frame =
  | { readonly kind: 'line'; readonly text: string }
  | { readonly kind: 'not_utf8' }
  | { readonly kind: 'too_long' };

const LF = 0x0a;
const START_BYTES = 4 * 1024;
/** A buffer that grew beyond this is given back once its line is complete. */
const KEEP_BYTES_MAX = 64 * 1024;

/**
 * Turns chunks of any size into lines. Code points split across chunks are kept whole, because bytes are
 * decoded a line at a time. After `too_long` the decoder takes nothing more: the rest of that line can't be told from a new one.
 */
export class LineDecoder {
  readonly #lineBytesMax: number;
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });
  #held: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #heldBytes = 0;
  #ended = false;

  constructor(lineBytesMax: number = LINE_BYTES_MAX) {
    this.#lineBytesMax = lineBytesMax;
  }

  /** Bytes of the unfinished line. At the end of a stream they are the half line that nobody will complete. */
  get pendingBytes(): number {
    return this.#heldBytes;
  }

  /** Answers the frames that this chunk completed, in order. */
  push(chunk: Uint8Array): Frame[] {
    const frames: Frame[] = [];
    let from = 0;
    while (!this.#ended && from < chunk.length) {
      const end = chunk.indexOf(LF, from);
      const part = chunk.subarray(from, end === -1 ? chunk.length : end);
      if (this.#heldBytes + part.length > this.#lineBytesMax) {
        this.#ended = true;
        this.#release();
        frames.push({ kind: 'too_long' });
      } else if (end === -1) {
        this.#hold(part);
        from = chunk.length;
      } else {
        frames.push(this.#complete(part));
        from = end + 1;
      }
    }
    return frames;
  }

  #complete(last: Uint8Array): Frame {
    let bytes = last;
    if (this.#heldBytes > 0) {
      this.#hold(last);
      bytes = this.#held.subarray(0, this.#heldBytes);
    }
    let frame: Frame;
    try {
      frame = { kind: 'line', text: this.#utf8.decode(bytes) };
    } catch {
      frame = { kind: 'not_utf8' };
    }
    this.#heldBytes = 0;
    if (this.#held.length > KEEP_BYTES_MAX) this.#release();
    return frame;
  }

  // Doubles, so that a line that arrives a byte at a time costs its length, not its square.
  #hold(part: Uint8Array): void {
    const needed = this.#heldBytes + part.length;
    if (needed > this.#held.length) {
      const grown = new Uint8Array(Math.max(START_BYTES, needed, this.#held.length * 2));
      grown.set(this.#held.subarray(0, this.#heldBytes));
      this.#held = grown;
    }
    this.#held.set(part, this.#heldBytes);
    this.#heldBytes = needed;
  }

  #release(): void {
    this.#held = new Uint8Array(0);
    this.#heldBytes = 0;
  }
}

/** One message as it goes onto the wire. `JSON.stringify` escapes every LF, so the only one is the last. */
export function encodeLine(message: object): string {
  return `${JSON.stringify(message)}\n`;
}
