import type { PodError, PodErrorCode } from '../pod-error.ts';
import { showName } from './render/style.ts';

/** What happened, to which Pod, and what to do next: one line for stderr. */
export function explain(error: PodError, pod: string): string {
  const next = nextStep(error, pod);
  return `${whatHappened(error, pod)}${next === undefined ? '' : `; ${next}`}`;
}

function whatHappened({ code, message }: PodError, pod: string): string {
  // What lies in a damaged file may be anything.
  if (code === 'no_place' || code === 'bad_registry' || code === 'no_project')
    return showName(message);
  if (code === 'start_failed')
    return message
      .split('\n')
      .map((line) => showName(line))
      .join('\n');
  if (code === 'unreachable') return `no Pod ${pod} is running: ${message}`;
  if (code === 'no_answer' || code === 'disconnected') return `Pod ${pod}: ${message}`;
  return `Pod ${pod}: ${message} (${code})`;
}

/** Where the message alone does not say it. */
const NEXT: Partial<Record<PodErrorCode, (pod: string) => string>> = {
  compaction_failed: () => 'the session is as it was; its podd.log has more',
  compaction_thrash: (pod) =>
    `what stays as it is fills too much of the window by itself; keep less: podctl compact ${pod} --retained-tokens N`,
  unreachable: () => 'start it with: podd --manifest FILE',
  already_running: (pod) => `try again when it is done; what it does now: podctl status ${pod}`,
  busy: (pod) => `try again in a moment; what it does now: podctl status ${pod}`,
  shutting_down: () => 'start it again when it has stopped: podd --manifest FILE',
  disconnected: (pod) => `see whether it lives: podctl status ${pod}`,
  no_answer: (pod) => `see whether it lives: podctl status ${pod}`,
  bad_answer: () => 'is that the socket of a Pod?',
  refused: () => 'are podctl --version and podd --version the same?',
  storage_error: () => 'the cause is in its podd.log',
  internal: () => 'this is a bug in podd, and its podd.log has the report',
};

function nextStep({ code, data }: PodError, pod: string): string | undefined {
  if (code === 'unreachable' && hasCode(data, 'EACCES')) return 'run podctl as that user';
  const cause = code === 'compaction_failed' ? causeOf(data) : '';
  return (COMPACTION_CAUSES[cause] ?? NEXT[code])?.(pod);
}

/** A failed compaction changes nothing; what may be done about it depends on why. */
const COMPACTION_CAUSES: Readonly<Record<string, (pod: string) => string>> = {
  summary_missing: (pod) =>
    `the model wrote no summary; try again, or tell it what matters: podctl compact ${pod} --instructions TEXT`,
  nothing_to_compact: (pod) =>
    `all of the history is of the part that stays as it is; keep less: podctl compact ${pod} --retained-tokens N`,
  not_smaller: (pod) =>
    `the summary is no shorter than what it stands for; keep less, podctl compact ${pod} --retained-tokens N, or wait until there is more`,
  invalid: () => 'what the compactor left is no history to go on with; try again',
  provider: () => 'the model’s provider did not answer as it should; try again in a while',
  storage: () => 'the new session could not be written; the cause is in its podd.log',
  cancelled: () => 'it was cancelled, and the session is as it was; try again when you like',
  deadline: () => 'it took too long and was given up; try again in a while',
  input_cap: () =>
    'the compactor read as much as it may; let it read more: compaction.worker_max_input_tokens in the manifest',
};

function causeOf(data: unknown): string {
  if (typeof data !== 'object' || data === null || !('cause' in data)) return '';
  const { cause } = data;
  return typeof cause === 'string' && Object.hasOwn(COMPACTION_CAUSES, cause) ? cause : '';
}

function hasCode(data: unknown, code: string): boolean {
  return typeof data === 'object' && data !== null && 'code' in data && data.code === code;
}
