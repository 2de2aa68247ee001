import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { CLIENT_LIMITS } from './limits.ts';
import { isCode } from './private-files.ts';

/** A file of lines that somebody else writes, read as far as it goes, and again when there is more. */
export class LineFile implements AsyncDisposable {
  readonly #path: string;
  readonly #handle: FileHandle;
  #offset = 0;
  #decoder = new StringDecoder('utf8');
  #rest = '';

  private constructor(path: string, handle: FileHandle) {
    this.#path = path;
    this.#handle = handle;
  }

  /** Null if there is none. */
  static async open(path: string): Promise<LineFile | null> {
    try {
      // A pipe in its place is not waited on.
      const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
      return new LineFile(path, handle);
    } catch (error) {
      if (isCode(error, 'ENOENT', 'ENOTDIR')) return null;
      throw error;
    }
  }

  /** The lines that are new, whole ones only. A file that was cut is read from its start. */
  async *lines(): AsyncGenerator<string, void> {
    const { size } = await this.#handle.stat();
    if (size < this.#offset) this.#offset = 0;
    const piece = Buffer.alloc(CLIENT_LIMITS.logPieceBytes);
    for (;;) {
      const { bytesRead } = await this.#handle.read(piece, 0, piece.length, this.#offset);
      if (bytesRead === 0) return;
      this.#offset += bytesRead;
      const parts = `${this.#rest}${this.#decoder.write(piece.subarray(0, bytesRead))}`.split('\n');
      this.#rest = parts.pop() ?? '';
      yield* parts;
      if (this.#rest.length > CLIENT_LIMITS.logLineUnits) yield this.takeRest();
    }
  }

  /** What stands behind the last line end. */
  takeRest(): string {
    const rest = this.#rest;
    this.#rest = '';
    return rest;
  }

  /** Its path now names another file, or none. */
  async wasMoved(): Promise<boolean> {
    return !(await this.isAt(this.#path));
  }

  async isAt(path: string): Promise<boolean> {
    try {
      const [there, here] = await Promise.all([stat(path), this.#handle.stat()]);
      return there.ino === here.ino && there.dev === here.dev;
    } catch (error) {
      if (isCode(error, 'ENOENT', 'ENOTDIR')) return false;
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}
