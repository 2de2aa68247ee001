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
/** What of an unfinished line is kept as bytes; what is before it was decoded as it came, so that its end costs no more than any part of it. */
const BLOCK_BYTES = 64 * 1024;

/**
 * Turns chunks of any size into lines. Code points split across chunks are kept whole. After `too_long` the decoder
 * takes nothing more: the rest of that line can't be told from a new one.
 */
export class LineDecoder {
  readonly #lineBytesMax: number;
  #utf8 = newUtf8();
  /** The unfinished line: its decoded part, and the bytes after that, which are collected however small they come. */
  #text = '';
  #block: Uint8Array = NOTHING;
  #blockBytes = 0;
  #heldBytes = 0;
  #isUtf8 = true;
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
    this.#decodeBlock();
    this.#decode(last, false);
    const frame: Frame = this.#isUtf8 ? { kind: 'line', text: this.#text } : { kind: 'not_utf8' };
    this.#release();
    return frame;
  }

  #hold(part: Uint8Array): void {
    if (this.#block.length === 0) this.#block = new Uint8Array(BLOCK_BYTES);
    for (let from = 0; from < part.length; ) {
      const piece = part.subarray(from, from + BLOCK_BYTES - this.#blockBytes);
      this.#block.set(piece, this.#blockBytes);
      this.#blockBytes += piece.length;
      from += piece.length;
      if (this.#blockBytes === BLOCK_BYTES) this.#decodeBlock();
    }
    this.#heldBytes += part.length;
  }

  #decodeBlock(): void {
    this.#decode(this.#block.subarray(0, this.#blockBytes), true);
    this.#blockBytes = 0;
  }

  #decode(bytes: Uint8Array, stream: boolean): void {
    if (!this.#isUtf8) return;
    try {
      // The end of a line also ends a code point that the line cut off: that is not UTF-8.
      this.#text += this.#utf8.decode(bytes, { stream });
    } catch {
      this.#isUtf8 = false;
      this.#text = '';
      // One that failed midway may remember half a code point.
      this.#utf8 = newUtf8();
    }
  }

  #release(): void {
    this.#text = '';
    this.#block = NOTHING;
    this.#blockBytes = 0;
    this.#heldBytes = 0;
    this.#isUtf8 = true;
  }
}

const NOTHING = new Uint8Array(0);

function newUtf8(): InstanceType<typeof TextDecoder> {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });
}

/** One message as it goes onto the wire. `JSON.stringify` escapes every LF, so the only one is the last. */
export function encodeLine(message: object): string {
  return `${JSON.stringify(message)}\n`;
}
