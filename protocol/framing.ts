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
/** Unfinished lines are held in blocks of this size: no copy grows with the line, and no large piece of memory is asked for. */
const BLOCK_BYTES = 64 * 1024;

/**
 * Turns chunks of any size into lines. Code points split across chunks are kept whole, because bytes are
 * decoded a line at a time. After `too_long` the decoder takes nothing more: the rest of that line can't be told from a new one.
 */
export class LineDecoder {
  readonly #lineBytesMax: number;
  #utf8 = newUtf8();
  /** All but the last are full. */
  #blocks: Uint8Array[] = [];
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
    try {
      let text = '';
      for (const block of this.#held()) text += this.#utf8.decode(block, { stream: true });
      // Also ends a code point that the line cut off: that is not UTF-8.
      return { kind: 'line', text: text + this.#utf8.decode(last) };
    } catch {
      // One that failed midway may remember half a code point.
      this.#utf8 = newUtf8();
      return { kind: 'not_utf8' };
    } finally {
      this.#release();
    }
  }

  #held(): Uint8Array[] {
    const over = this.#heldBytes % BLOCK_BYTES;
    const last = this.#blocks.at(-1);
    if (over === 0 || last === undefined) return this.#blocks;
    return [...this.#blocks.slice(0, -1), last.subarray(0, over)];
  }

  #hold(part: Uint8Array): void {
    for (let from = 0; from < part.length; ) {
      const at = this.#heldBytes % BLOCK_BYTES;
      if (at === 0) this.#blocks.push(new Uint8Array(BLOCK_BYTES));
      const piece = part.subarray(from, from + BLOCK_BYTES - at);
      this.#blocks.at(-1)?.set(piece, at);
      this.#heldBytes += piece.length;
      from += piece.length;
    }
  }

  #release(): void {
    this.#blocks = [];
    this.#heldBytes = 0;
  }
}

function newUtf8(): InstanceType<typeof TextDecoder> {
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });
}

/** One message as it goes onto the wire. `JSON.stringify` escapes every LF, so the only one is the last. */
export function encodeLine(message: object): string {
  return `${JSON.stringify(message)}\n`;
}
