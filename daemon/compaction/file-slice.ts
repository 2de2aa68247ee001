import type { OpenedFile } from '../ports/files.ts';

/** Lines of a file: `offset` to skip, counted from 0, and so many then; both optional. */
export type LineRange = {
  readonly offset?: number | undefined;
  readonly limit?: number | undefined;
};

export type FileSlice = {
  /** Raw, with the ends of its lines; at most so much as was asked for. */
  readonly text: string;
  /** UTF-8 bytes of the whole slice. */
  readonly bytes: number;
  /** The number of its last line, from 1; 0 for none. */
  readonly lastLine: number;
};

/**
 * The lines of a file as they are, bytes that are no UTF-8 replaced. Of a slice that is longer than `bytesMax` only the size is
 * told, up to the first byte that is too much.
 */
export async function readSlice(
  file: OpenedFile,
  { offset = 0, limit = Number.POSITIVE_INFINITY }: LineRange,
  bytesMax: number,
  signal: AbortSignal,
): Promise<FileSlice> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const pieces: string[] = [];
  let bytes = 0;
  let line = 0;
  // Whether the last line has not ended yet.
  let open = 0;
  const take = (text: string): void => {
    for (let start = 0; start < text.length; ) {
      const feed = text.indexOf('\n', start);
      const end = feed === -1 ? text.length : feed + 1;
      if (line >= offset && line < offset + limit) {
        const piece = text.slice(start, end);
        bytes += Buffer.byteLength(piece);
        if (bytes <= bytesMax) pieces.push(piece);
      }
      open = feed === -1 ? 1 : 0;
      if (feed !== -1) line += 1;
      start = end;
    }
  };
  for await (const chunk of file.chunks(signal)) {
    take(decoder.decode(chunk, { stream: true }));
    if (bytes > bytesMax || line >= offset + limit) break;
  }
  take(decoder.decode());
  const seen = line + open;
  return {
    text: bytes > bytesMax ? '' : pieces.join(''),
    bytes,
    lastLine: Math.min(seen, offset + limit),
  };
}
