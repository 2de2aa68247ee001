import { runId } from '../../daemon/core/ids.ts';
import type { KeyValueStore } from '../../daemon/session/store.ts';
import { type Bench, type BenchAnswer, podBench } from './pod-bench.ts';

/** Another process on the same disk: its runs have numbers of their own. */
export function nextLife(store: KeyValueStore, answers: readonly BenchAnswer[]): Promise<Bench> {
  let runs = 0;
  const newRunId = () => runId(`later-${(runs += 1)}`);
  return podBench({ answers, store, parts: { newRunId } });
}
