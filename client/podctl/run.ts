import { randomUUID } from 'node:crypto';
import type { Reply } from '../../protocol/methods.ts';
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

type Shown = { readonly pod: string; readonly format: 'text' | 'json' };

export type RunOptions = Shown & {
  readonly words: readonly string[];
  /** The same id again is the same run, not another one. */
  readonly id: string | undefined;
  readonly queue: boolean;
  /** A compaction without a run makes room for this one. */
  readonly preempt: boolean;
};

type RunAnswer = Reply<'Run'>;

/** How the Pod is asked for a run. */
type Asking = {
  /** Answers as soon as the run is accepted. */
  readonly accept: (client: PodClient) => Promise<RunAnswer>;
  /** Answers when the run is over, also one that was over before; null where a run is always a new one. */
  readonly end: ((client: PodClient) => Promise<RunAnswer>) | null;
  /** The client's own. */
  readonly id: string | null;
};

/** Gives the Pod an input and shows its run to the end. Answers EXIT-1's code. */
export async function runCommand(shell: Shell, options: RunOptions): Promise<number> {
  const { words, queue, preempt } = options;
  const input = await readInput(shell, words);
  // A run that waits may be taken out of the queue; only a second question under its id is told so.
  const id = options.id ?? (queue ? randomUUID() : undefined);
  const params = {
    input,
    ...(id === undefined ? {} : { inputId: id }),
    ...(queue ? { queue } : {}),
    ...(preempt ? { preempt } : {}),
  };
  return await showRun(shell, options, {
    accept: (client) => client.request('Run', { ...params, wait: 'accepted' }, ACCEPTED),
    end: id === undefined ? null : (client) => client.request('Run', params),
    id: id ?? null,
  });
}

/** Goes on with the last run, and shows it as `run` does. */
export async function resumeCommand(shell: Shell, options: Shown): Promise<number> {
  return await showRun(shell, options, {
    accept: (client) => client.request('Resume', { wait: 'accepted' }, ACCEPTED),
    end: null,
    id: null,
  });
}

const ACCEPTED = { deadlineMs: CLIENT_LIMITS.acceptMs };

async function showRun(shell: Shell, { pod, format }: Shown, asking: Asking): Promise<number> {
  await using client = await connect(findSocket(pod, shell));
  const view = format === 'json' ? jsonView(shell) : textView(shell);
  const following = new FollowRun((event) => {
    view.show(event);
    if (event.event === 'run_start') interrupts.begun();
  });
  using _events = client.onEvent((event) => {
    following.take(event);
  });
  using interrupts = watchInterrupts(shell, client);

  const deadlineMs = CLIENT_LIMITS.answerMs;
  const before = await client.request('Subscribe', {}, { deadlineMs });
  if (before.phase === 'compacting' && before.run === undefined) view.showWait();
  const answer = await Promise.race([asking.accept(client), interrupts.left]);
  if (answer === 'left') return EXIT.interrupted;
  if ('outcome' in answer) return tellEnd(shell, { ...answer, report: answer });

  const isOpen = before.run?.id === answer.runId;
  interrupts.accepted();
  if (isOpen) interrupts.begun();
  following.follow(answer.runId, { isOpen });
  const end = await Promise.race([
    following.ended,
    lost(client, asking.id),
    interrupts.left,
    ...(asking.end === null ? [] : [toEnd(asking.end(client), () => lost(client, asking.id))]),
  ]);
  if (end === 'left') return EXIT.interrupted;
  if (!following.wasShown) view.showReport(end);
  view.endLine();
  return tellEnd(shell, end);
}

async function toEnd(answer: Promise<RunAnswer>, lose: () => Promise<never>): Promise<RunEnd> {
  const report = await answer.catch((error: unknown) => {
    if (error instanceof PodError && error.code === 'disconnected') return lose();
    throw error;
  });
  if ('outcome' in report) return { runId: report.runId, outcome: report.outcome, report };
  throw new PodError('bad_answer', 'a run was answered before its end');
}

type View = {
  readonly show: (event: Parameters<FollowRun['take']>[0]) => void;
  /** Of a run whose events are over: what is left of it is its end. */
  readonly showReport: (end: RunEnd) => void;
  /** The Pod is compacting, and no run is open. */
  readonly showWait: () => void;
  readonly endLine: () => void;
};

function textView({ out, err, env }: Shell): View {
  const outStyle = styleFor(out, env);
  const errStyle = styleFor(err, env);
  const view = new RunView({ out, err, outStyle, errStyle });
  return {
    show: (event) => {
      view.show(event);
    },
    showReport: (end) => {
      if ('report' in end && end.report.text !== '')
        out.write(`${outStyle.clean(end.report.text)}\n`);
    },
    showWait: () => {
      err.write(`${errStyle.dim('the Pod is compacting …')}\n`);
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
    showReport: (end) => {
      out.write(`${JSON.stringify({ event: 'run_end', data: end })}\n`);
    },
    showWait: () => undefined,
    endLine: () => undefined,
  };
}

/** `id` is what the run may be asked for by again. */
async function lost(client: PodClient, id: string | null): Promise<never> {
  await client.closed;
  const says =
    'the connection was lost before the run ended; it may go on, or be cut off if the Pod died';
  const again = id === null ? '' : `; for its answer give the same again with --id ${id}`;
  throw new PodError('disconnected', `${says}${again}`);
}

type Interrupts = Disposable & {
  readonly left: Promise<'left'>;
  /** The run is ours, and waits perhaps. */
  readonly accepted: () => void;
  /** It is the one that is open. */
  readonly begun: () => void;
};

/**
 * The first Ctrl-C cancels the run, once it is known to be ours; the second leaves it to itself. While another's run is
 * open ours waits, and a cancel would meet that one: then the first leaves.
 */
function watchInterrupts({ onInterrupt, err }: Shell, client: PodClient): Interrupts {
  let leave: (how: 'left') => void = () => undefined;
  const left = new Promise<'left'>((resolve) => {
    leave = resolve;
  });
  const is = { accepted: false, begun: false };
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
    } else if (is.accepted && !is.begun) {
      err.write('podctl: left; the input waits in the Pod (podctl cancel --clear-queue)\n');
      leave('left');
    } else {
      err.write('podctl: cancelling the run; Ctrl-C again leaves it to itself\n');
      if (is.begun) cancel();
    }
  });
  return {
    left,
    accepted: () => {
      is.accepted = true;
    },
    begun: () => {
      if (is.begun) return;
      is.begun = true;
      if (interrupts > 0) cancel();
    },
    [Symbol.dispose]: () => {
      listening[Symbol.dispose]();
    },
  };
}

/** Says how a run ended where its text does not, and answers EXIT-1's code. */
export function tellEnd({ err, env }: Pick<Shell, 'err' | 'env'>, end: RunEnd): number {
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
    const wait = pending.length === 0 ? '' : `; ${pending.length} calls wait for a decision`;
    err.write(`the run is paused${wait} (podctl resume goes on)\n`);
    for (const { tool, summary } of pending) err.write(`  ${tool} ${oneLine(summary, 120)}\n`);
  }
  return EXIT[outcome];
}
