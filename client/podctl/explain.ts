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
  return NEXT[code]?.(pod);
}

function hasCode(data: unknown, code: string): boolean {
  return typeof data === 'object' && data !== null && 'code' in data && data.code === code;
}
