import type * as v from 'valibot';
import { parse } from 'valibot';
import type { CallIntent } from '../../daemon/core/entry.ts';
import { FileTracker } from '../../daemon/core/file-tracker.ts';
import { openFiles } from '../../daemon/files/open-files.ts';
import type { Files } from '../../daemon/ports/files.ts';
import type { Tool, ToolOutcome } from '../../daemon/ports/tool.ts';
import { writable } from './temp-tree.ts';

/** Runs tools on real files as a Pod does: arguments checked, intents kept, the tracker fed by what they answer. */
export class ToolBench {
  readonly intents: CallIntent[] = [];
  readonly tracker = new FileTracker(100);
  readonly #files: Files;
  /** What happens between a tool's intent and what it does. */
  meanwhile: () => Promise<unknown> = () => Promise.resolve();

  constructor(folder: string, files: Files = openFiles(writable(folder))) {
    this.#files = files;
  }

  async run<S extends v.GenericSchema>(
    tool: Tool<S>,
    args: v.InferInput<S>,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<ToolOutcome> {
    const outcome = await tool.run(
      parse(tool.schema, args),
      {
        files: this.#files,
        knownHash: (path) => this.tracker.hashOf(path),
        intend: async (intent) => {
          this.intents.push(intent);
          await this.meanwhile();
        },
      },
      signal,
    );
    this.tracker.apply(outcome.files ?? []);
    return outcome;
  }

  /** The summary of a call that has to fail. */
  async refusal<S extends v.GenericSchema>(tool: Tool<S>, args: v.InferInput<S>): Promise<string> {
    const outcome = await this.run(tool, args);
    if (outcome.isError !== true) throw new Error(`it went well: ${outcome.summary}`);
    return outcome.summary;
  }
}
