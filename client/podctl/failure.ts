import { PodRefusal, Unreachable } from '../errors.ts';
import { EXIT } from './exit-codes.ts';
import { OutputClosed } from './terminal.ts';
import { UsageError } from './usage-error.ts';

export type Failure = { readonly exitCode: number; readonly says: string };

/** What a failed command tells its user, and what it ends with. */
export function toFailure(error: unknown): Failure {
  if (error instanceof OutputClosed) return { exitCode: EXIT.outputClosed, says: '' };
  if (error instanceof UsageError)
    return { exitCode: EXIT.usage, says: `${error.message}\nTry: podctl --help` };
  if (error instanceof Unreachable) return { exitCode: EXIT.unreachable, says: error.message };
  if (error instanceof PodRefusal) return { exitCode: EXIT.failed, says: explainRefusal(error) };
  const report = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { exitCode: EXIT.bug, says: `a bug: ${report}` };
}

function explainRefusal({ message, fault, code }: PodRefusal): string {
  const hint = fault === null ? undefined : HINTS[fault];
  const says = `${message} (${fault ?? code})`;
  return hint === undefined ? says : `${says}\n${hint}`;
}

/** What to do next, where the message alone does not say it. */
const HINTS: Partial<Record<NonNullable<PodRefusal['fault']>, string>> = {
  already_running:
    'Wait for that run to end, or end it: Ctrl-C in its podctl run, or the method Cancel.',
  busy: 'Try again in a moment.',
  shutting_down: 'Start it again when it has stopped: podd --manifest FILE',
  storage_error:
    'The disk may be full or broken; podctl status shows the state, the log the cause.',
  internal: "This is a bug in podd; the Pod's log has the report.",
};
