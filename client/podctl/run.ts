import { connect } from '../connect.ts';
import { findSocket } from '../find-pods.ts';
import { CLIENT_LIMITS } from '../limits.ts';
import type { PodClient } from '../pod-client.ts';
import { PodError } from '../pod-error.ts';
import { FollowRun, type RunEnd } from './follow-run.ts';
import { readInput } from './read-input.ts';
import { oneLine, styleFor } from './render/style.ts';
import { RunView } from './render/run-view.ts';
import { EXIT, type Shell } from './shell.ts';

export type RunOptions = {
  readonly pod: string;
  readonly words: readonly string[];
  readonly format: 'text' | 'json';
};

/** Gives the Pod an input and shows its run to the end. Answers EXIT-1's code. */
export async function runCommand(shell: Shell, options: RunOptions): Promise<number> {
  const input = await readInput(shell, options.words);
  await using client = await connect(findSocket(options.pod, shell));
  const { show, endLine } = options.format === 'json' ? jsonView(shell) : textView(shell);
  const following = new FollowRun(show);
  using _events = client.onEvent((event) => {
    following.take(event);
  });
  using interrupts = watchInterrupts(shell, client);

  await client.request('Subscribe', {}, { deadlineMs: CLIENT_LIMITS.answerMs });
  const accepted = client.request(
    'Run',
    { input, wait: 'accepted' },
    { deadlineMs: CLIENT_LIMITS.acceptMs },
  );
  const answer = await Promise.race([accepted, interrupts.left]);
  if (answer === 'left') return EXIT.interrupted;
  if ('outcome' in answer) return tellEnd(shell, { ...answer, report: answer });

  following.follow(answer.runId);
  interrupts.accepted();
  const end = await Promise.race([following.ended, lost(client), interrupts.left]);
  endLine();
  return end === 'left' ? EXIT.interrupted : tellEnd(shell, end);
}

type View = {
  readonly show: (event: Parameters<FollowRun['take']>[0]) => void;
  readonly endLine: () => void;
};

function textView({ out, err, env }: Shell): View {
  const view = new RunView({
    out,
    err,
    outStyle: styleFor(out, env),
    errStyle: styleFor(err, env),
  });
  return {
    show: (event) => {
      view.show(event);
    },
    endLine: () => {
      view.endLine();
    },
  };
}

function jsonView({ out }: Shell): View {
  return {
    show: (event) => {
      out.write(`${JSON.stringify(event)}\n`);
    },
    endLine: () => undefined,
  };
}

async function lost(client: PodClient): Promise<never> {
  await client.closed;
  throw new PodError(
    'disconnected',
    'the connection was lost before the run ended; it may go on, or be cut off if the Pod died',
  );
}

/** The first Ctrl-C cancels the run, once it is known to be ours; the second leaves it to itself. */
function watchInterrupts(
  { onInterrupt, err }: Shell,
  client: PodClient,
): Disposable & { readonly left: Promise<'left'>; readonly accepted: () => void } {
  let leave: (how: 'left') => void = () => undefined;
  const left = new Promise<'left'>((resolve) => {
    leave = resolve;
  });
  let isAccepted = false;
  let interrupts = 0;
  const cancel = (): void => {
    client.request('Cancel', {}, { deadlineMs: CLIENT_LIMITS.cancelMs }).catch((error: unknown) => {
      // The run ended meanwhile, and perhaps this client with it.
      if (error instanceof PodError && ['not_running', 'disconnected'].includes(error.code)) return;
      err.write(`podctl: Cancel failed: ${error instanceof Error ? error.message : ''}\n`);
    });
  };
  const listening = onInterrupt(() => {
    interrupts += 1;
    if (interrupts > 1) {
      err.write('podctl: left; what the run still does is in the Pod (podctl status)\n');
      leave('left');
      return;
    }
    err.write('podctl: cancelling the run; Ctrl-C again leaves it to itself\n');
    if (isAccepted) cancel();
  });
  return {
    left,
    accepted: () => {
      isAccepted = true;
      if (interrupts > 0) cancel();
    },
    [Symbol.dispose]: () => {
      listening[Symbol.dispose]();
    },
  };
}

function tellEnd({ err, env }: Shell, end: RunEnd): number {
  const { red } = styleFor(err, env);
  if ('error' in end) {
    err.write(`${red(`the run failed: ${oneLine(end.error.message, 500)} (${end.error.code})`)}\n`);
    return EXIT.failed;
  }
  const { outcome, turns, pending = [] } = end.report;
  if (outcome === 'limit_reached')
    err.write(`the run reached its limit after ${turns} ${turns === 1 ? 'turn' : 'turns'}\n`);
  if (outcome === 'cancelled') err.write('the run was cancelled\n');
  if (outcome === 'paused') {
    err.write(`the run is paused; ${pending.length} calls wait for a decision\n`);
    for (const { tool, summary } of pending) err.write(`  ${tool} ${oneLine(summary, 120)}\n`);
  }
  return EXIT[outcome];
}
