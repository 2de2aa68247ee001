import { DELTAS, type EventData } from '../../protocol/events.ts';
import { CLIENT_LIMITS } from '../limits.ts';
import type { PodEvent } from '../pod-client.ts';

export type RunEnd = EventData<'run_end'>;

/**
 * Picks one run's events out of a connection's. They may come before the answer that says which run is ours, so they
 * are held until then; other runs of the Pod before and after it are passed over.
 */
export class FollowRun {
  readonly #show: (event: PodEvent) => void;
  readonly ended: Promise<RunEnd>;
  #resolve: (end: RunEnd) => void = () => undefined;
  #held: PodEvent[] = [];
  #runId: string | undefined;
  #open = false;
  #shown = false;

  constructor(show: (event: PodEvent) => void) {
    this.#show = show;
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  take(event: PodEvent): void {
    if (this.#runId !== undefined) {
      this.#pick(event, this.#runId);
      return;
    }
    // Runs come one after the other: once one begins, no earlier one can be ours.
    if (event.event === 'run_start') this.#held = [];
    // What a delta tells comes whole later, so of many the newest may go.
    if (this.#held.length < CLIENT_LIMITS.earlyEvents || !isDelta(event)) this.#held.push(event);
  }

  /** Something of the run was shown. */
  get wasShown(): boolean {
    return this.#shown;
  }

  /** From here on it is known which run is ours; one that `isOpen` began before anything was seen of it. */
  follow(runId: string, { isOpen = false }: { readonly isOpen?: boolean } = {}): void {
    this.#runId = runId;
    this.#open = isOpen;
    const held = this.#held;
    this.#held = [];
    for (const event of held) this.#pick(event, runId);
  }

  #pick(event: PodEvent, runId: string): void {
    if (event.event === 'run_start' && event.data.runId === runId) this.#open = true;
    if (!this.#open) return;
    this.#shown = true;
    this.#show(event);
    if (event.event !== 'run_end' || event.data.runId !== runId) return;
    this.#open = false;
    this.#resolve(event.data);
  }
}

function isDelta({ event }: PodEvent): boolean {
  return (DELTAS as readonly string[]).includes(event);
}
