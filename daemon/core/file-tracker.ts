import type { FileTouch } from '../../protocol/items.ts';
import type { TrackedFile } from './entry.ts';

/**
 * Which files this line of sessions has read or written, and their hashes then. A projection of the `files` of tool
 * results, stored nowhere else. The least recently touched go first when there are too many.
 */
export class FileTracker {
  readonly #filesMax: number;
  readonly #hashes = new Map<string, string>();

  constructor(filesMax: number, carried: readonly TrackedFile[] = []) {
    this.#filesMax = filesMax;
    for (const { path, hash } of carried) this.#touch(path, hash);
  }

  apply(touches: readonly FileTouch[]): void {
    for (const { path, hash } of touches) this.#touch(path, hash);
  }

  hashOf(path: string): string | undefined {
    return this.#hashes.get(path);
  }

  /** Oldest touch first. */
  files(): TrackedFile[] {
    return [...this.#hashes].map(([path, hash]) => ({ path, hash }));
  }

  #touch(path: string, hash: string): void {
    this.#hashes.delete(path);
    this.#hashes.set(path, hash);
    if (this.#hashes.size <= this.#filesMax) return;
    for (const oldest of this.#hashes.keys()) {
      this.#hashes.delete(oldest);
      return;
    }
  }
}
