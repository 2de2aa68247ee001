import { invariant } from './assert.ts';

export type Active = { readonly kind: 'request' | 'tool_call'; readonly id: string };

/** What a run has under way: the requests and calls whose promises have not settled. It decides when a cancel is quiet. */
export class Activity {
  readonly #active = new Map<symbol, Active>();
  readonly #onQuiet: () => void;

  constructor(onQuiet: () => void) {
    this.#onQuiet = onQuiet;
  }

  begin(active: Active): () => void {
    const key = Symbol(active.id);
    this.#active.set(key, active);
    return () => {
      invariant(this.#active.delete(key), `${active.kind} ${active.id} ended twice`);
      if (this.#active.size === 0) this.#onQuiet();
    };
  }

  list(): Active[] {
    return [...this.#active.values()];
  }
}
