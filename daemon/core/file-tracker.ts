import type { FileTouch } from '../../protocol/items.ts';
import type { TrackedFile } from './entry.ts';
import { LIMITS } from './limits.ts';

/**
 * Which files this line of sessions has read or written, and their hashes then. A projection of the `files` of tool
 * results, stored nowhere else. The least recently touched go first when there are too many.
 */
export class FileTracker {
  readonly #filesMax: number;
  /** Oldest touch first. */
  readonly #tracked = new Map<string, TrackedFile>();

  constructor(filesMax: number, carried: readonly TrackedFile[] = []) {
    this.#filesMax = filesMax;
    for (const { path, hash, wrote } of carried) this.#touch(path, hash, wrote === true);
  }

  apply(touches: readonly FileTouch[]): void {
    for (const { path, hash, op } of touches) this.#touch(path, hash, op === 'write');
  }

  hashOf(path: string): string | undefined {
    return this.#tracked.get(path)?.hash;
  }

  /** Oldest touch first: who is given them as `carried` goes on where this one is. */
  files(): TrackedFile[] {
    return [...this.#tracked.values()];
  }

  /** Paths, the last touch first. */
  recent(count: number): string[] {
    const wanted = Math.min(count, LIMITS.recentFiles);
    if (wanted <= 0) return [];
    return [...this.#tracked.keys()].slice(-wanted).reverse();
  }

  #touch(path: string, hash: string, writes: boolean): void {
    const wrote = writes || this.#tracked.get(path)?.wrote === true;
    this.#tracked.delete(path);
    this.#tracked.set(path, { path, hash, ...(wrote ? { wrote } : {}) });
    if (this.#tracked.size <= this.#filesMax) return;
    for (const oldest of this.#tracked.keys()) {
      this.#tracked.delete(oldest);
      return;
    }
  }
}
