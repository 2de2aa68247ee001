import { CLIENT_LIMITS } from '../limits.ts';
import { type FailedStart, startPod } from '../start-pod.ts';
import { showName } from './render/style.ts';
import { EXIT, type Shell, UsageError } from './shell.ts';

export type StartCommandOptions = {
  /** The manifest, if there is one, and podd's flags. */
  readonly words: readonly string[];
  readonly format: 'text' | 'json';
};

/** Starts a Pod that goes on when this process and its terminal are gone, and waits until it serves. */
export async function startCommand(shell: Shell, options: StartCommandOptions): Promise<number> {
  const { words, format } = options;
  const { cwd, env, podd, out } = shell;
  const [first = '-'] = words;
  const hasManifest = first !== '' && !first.startsWith('-');
  const args = hasManifest ? words.slice(1) : words;
  const odd = args.find((word) => /^--(ready-fd|check|print-manifest|help|version)\b/.test(word));
  if (odd !== undefined || args.includes('-h'))
    throw new UsageError(`${odd ?? '-h'} is for podd itself: a start takes it not`);
  if (isStdin(args)) throw new UsageError('a manifest from stdin is for podd itself');
  const left = new AbortController();
  using _interrupts = shell.onInterrupt(() => {
    left.abort();
  });
  try {
    const started = await startPod({
      ...(hasManifest ? { manifest: first } : {}),
      ...(podd === undefined ? {} : { podd }),
      args,
      cwd,
      env,
      deadlineMs: CLIENT_LIMITS.startMs,
      signal: left.signal,
    });
    const { pod, pid, socket } = started;
    out.write(
      format === 'json'
        ? `${JSON.stringify(started)}\n`
        : `Pod ${pod} started: pid ${pid}, socket ${showName(socket)}\n`,
    );
    return EXIT.finished;
  } catch (error) {
    if (left.signal.aborted) return EXIT.interrupted;
    throw error;
  }
}

function isStdin(args: readonly string[]): boolean {
  return args.some(
    (word, at) => word === '--manifest=-' || (word === '-' && args[at - 1] === '--manifest'),
  );
}

/** podd's own exit code says more than one of ours. */
export function exitOfStart(data: unknown): number {
  const { exitCode } = data as FailedStart;
  return exitCode === null || exitCode === 0 ? EXIT.failed : exitCode;
}
