import type { OpenRun } from './open-run.ts';

/** Runs that were closed while something of theirs still worked, such as a write that hangs in the kernel. */
export class LingeringRuns {
  readonly #runs = new Set<OpenRun>();

  add(run: OpenRun): void {
    for (const one of this.#runs) if (isQuiet(one)) this.#runs.delete(one);
    if (!isQuiet(run)) this.#runs.add(run);
  }

  tellSurvivors(): void {
    for (const run of this.#runs) run.tellSurvivors();
  }

  any(): boolean {
    return [...this.#runs].some((run) => !isQuiet(run));
  }
}

function isQuiet({ activity }: OpenRun): boolean {
  return activity.list().length === 0;
}
