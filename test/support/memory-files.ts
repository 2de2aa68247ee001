import { ok, refuse } from '../../daemon/core/result.ts';
import type { Files, OpenedFile } from '../../daemon/ports/files.ts';

/** A file that is there for reading only; `onRead` is told of each piece that is read. */
export function memoryFile(
  path: string,
  content: string | Buffer,
  onRead?: () => void,
  pieceBytes = 64 * 1024,
): OpenedFile {
  const bytes = Buffer.from(content);
  return {
    path,
    bytes: bytes.length,
    chunks: async function* () {
      for (let at = 0; at < bytes.length; at += pieceBytes) {
        await Promise.resolve();
        onRead?.();
        yield bytes.subarray(at, at + pieceBytes);
      }
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Files by their paths; others are missing. */
export function memoryFiles(all: ReadonlyMap<string, string>): Pick<Files, 'openForRead'> {
  return {
    openForRead: (path) => {
      const content = all.get(path);
      return Promise.resolve(
        content === undefined
          ? refuse({ kind: 'missing' as const, says: `${path} does not exist` })
          : ok(memoryFile(path, content)),
      );
    },
  };
}
