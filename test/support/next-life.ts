import { runId } from '../../daemon/core/ids.ts';
import type { KeyValueStore } from '../../daemon/session/store.ts';
import { type Bench, type BenchAnswer, podBench } from './pod-bench.ts';

/** Another process on the same disk: its runs have numbers, and after one more life a name, of their own. */
export function nextLife(
  store: KeyValueStore,
  answers: readonly BenchAnswer[],
  name = 'later',
): Promise<Bench> {
  let runs = 0;
  const newRunId = () => runId(`${name}-${(runs += 1)}`);
  return podBench({ answers, store, parts: { newRunId } });
}
