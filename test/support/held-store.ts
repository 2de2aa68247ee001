import type { KeyValueStore } from '../../daemon/session/store.ts';

/** Any store whose writes wait, once `hold` was called, until they are let go. */
export class HeldStore {
  readonly store: KeyValueStore;
  #held: (() => void)[] | null = null;

  constructor(inner: KeyValueStore) {
    this.store = {
      ...inner,
      write: async (operations) => {
        const held = this.#held;
        if (held !== null)
          await new Promise<void>((resolve) => {
            held.push(resolve);
          });
        await inner.write(operations);
      },
    };
  }

  hold(): void {
    this.#held ??= [];
  }

  get waiting(): number {
    return this.#held?.length ?? 0;
  }

  letGo(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const go of held) go();
  }
}
