import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Asked, Conduct } from '../../test/support/model-server.ts';
import { WorkingModel } from '../../test/support/working-model.ts';

/** What is asked of a Pod, and a model that answers it. */
export type Workload = {
  /** TOML of the manifest, behind its provider. */
  readonly settings: string;
  readonly inputs: readonly string[];
  /** The request that a kill -9 comes upon, by its number among those of runs; in the middle of a run. */
  readonly killedAt: number;
  readonly model: (workspace: string) => (asked: Asked) => Conduct | Promise<Conduct>;
};

/** Each run reads file after file, then answers. */
export function readsInTurn(runs: number): Workload {
  const reads = 5;
  const perRun = reads + 1;
  return {
    settings: '',
    inputs: Array.from({ length: runs }, (_, run) => `Look at the next files, part ${run}.`),
    killedAt: Math.floor(runs / 2) * perRun + 3,
    model: (workspace) => {
      let asked = 0;
      return () => {
        const step = asked % perRun;
        asked += 1;
        return step === reads ? answer(asked) : read(workspace, asked, 1);
      };
    },
  };
}

/** One run of two turns that read twelve files at once. */
export function readsAtOnce(): Workload {
  return {
    settings: '',
    inputs: ['Look at all of these files.'],
    killedAt: 1,
    model: (workspace) => {
      let asked = 0;
      return () => {
        asked += 1;
        return asked === 3 ? answer(asked) : read(workspace, asked, 12);
      };
    },
  };
}

export const LONG_WINDOW = 40_000;

/** 200 turns of a model at work, in a window that old results are left out of and that is summarised twice. */
export function longWork(strategy: 'worker' | 'prefix'): Workload {
  const runs = 20;
  return {
    settings: `context_window = ${LONG_WINDOW}
[compaction]
strategy = "${strategy}"
compact_threshold = 29000
compact_request_threshold = 35000
compact_retained_tokens = 6000
compact_auto_read_budget = 2000
prune_protected_turns = 2`,
    inputs: Array.from({ length: runs }, (_, run) =>
      run === 0
        ? 'Make the files grow, one step after the other.'
        : `Directive ${run}: keep rule number ${run} in mind for all that follows.`,
    ),
    killedAt: 105,
    model: (workspace) => {
      const model = new WorkingModel({ workspace, window: LONG_WINDOW });
      return async (asked) => {
        const conduct = await model.plan(asked);
        // What is refused is not paid for, and would be counted here.
        if (conduct.kind === 'status') throw new Error(`the model refuses: ${conduct.message}`);
        return conduct;
      };
    },
  };
}

function answer(asked: number): Conduct {
  return { kind: 'answer', blocks: [{ text: `That is what these files say, as of ${asked}.` }] };
}

function read(workspace: string, asked: number, calls: number): Conduct {
  return {
    kind: 'answer',
    blocks: [
      { text: 'I read on.' },
      ...Array.from({ length: calls }, (_, call) => ({
        call: `toolu_${asked}_${call}`,
        name: 'Read',
        input: { file_path: fileOf(workspace, asked, call) },
      })),
    ],
  };
}

/** Of different lengths, so that no two requests are alike in size. */
function fileOf(workspace: string, asked: number, call: number): string {
  const path = join(workspace, `f${asked}-${call}.txt`);
  const lines = 20 + ((asked * 7 + call * 13) % 40);
  writeFileSync(path, `line of file ${call} that request ${asked} asked for\n`.repeat(lines));
  return path;
}
