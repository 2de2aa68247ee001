import type { Params, Reply } from '../../protocol/methods.ts';
import { connect } from '../connect.ts';
import { findSocket } from '../find-pods.ts';
import { CLIENT_LIMITS } from '../limits.ts';
import type { PodClient } from '../pod-client.ts';
import { PodError } from '../pod-error.ts';
import { describeCompacted } from './render/compaction-text.ts';
import { showName, styleFor } from './render/style.ts';
import { EXIT, type Shell } from './shell.ts';

export type CompactOptions = {
  readonly pod: string;
  readonly instructions: string | undefined;
  readonly retainedTokens: number | undefined;
  readonly id: string | undefined;
  readonly format: 'text' | 'json';
};

/** Has the Pod's history summarised, however long that takes. */
export async function compactCommand(shell: Shell, options: CompactOptions): Promise<number> {
  const { pod, instructions, retainedTokens, id, format } = options;
  await using client = await connect(findSocket(pod, shell));
  using leaving = leaveOnInterrupt(shell);
  if (shell.err.isTerminal) await tellProgress(shell, client);
  const params = { instructions, retainedTokens, requestId: id };
  const answer = await Promise.race([compact(client, params), leaving.left]);
  if (answer === 'left') return EXIT.interrupted;
  const says = `Pod ${pod} ${describeCompacted(answer)}; it goes on in session ${showName(answer.sessionId)}`;
  shell.out.write(format === 'json' ? `${JSON.stringify(answer)}\n` : `${says}\n`);
  return EXIT.finished;
}

async function compact(client: PodClient, params: Params<'Compact'>): Promise<Reply<'Compact'>> {
  try {
    return await client.request('Compact', params);
  } catch (cause) {
    if (!(cause instanceof PodError)) throw cause;
    if (cause.code === 'unknown_session')
      throw new PodError('unknown_session', 'nothing to compact: this Pod had no run yet', {
        cause,
      });
    if (cause.code !== 'disconnected') throw cause;
    const says =
      'the connection was lost before the compaction ended; it may go on, or be cut off if the Pod died';
    const { requestId } = params;
    const again =
      requestId === undefined ? '' : `; for its answer give the same again with --id ${requestId}`;
    throw new PodError('disconnected', `${says}${again}`, { cause });
  }
}

/** It takes minutes, and may first wait for a run. */
async function tellProgress({ err, env }: Shell, client: PodClient): Promise<void> {
  const { dim } = styleFor(err, env);
  client.onEvent(({ event }) => {
    if (event === 'compaction_start') err.write(`${dim('compacting …')}\n`);
  });
  const { state, phase } = await client.request(
    'Subscribe',
    { events: ['compaction_start'] },
    { deadlineMs: CLIENT_LIMITS.answerMs },
  );
  if (state === 'running' && phase !== 'compacting')
    err.write(`${dim('a run is open: this waits for the moment before its next request …')}\n`);
}

type Leaving = Disposable & { readonly left: Promise<'left'> };

/** A Cancel would end the run that is open, too: that is for who asks for it. */
function leaveOnInterrupt({ onInterrupt, err }: Shell): Leaving {
  let leave: (how: 'left') => void = () => undefined;
  const left = new Promise<'left'>((resolve) => {
    leave = resolve;
  });
  const listening = onInterrupt(() => {
    err.write('podctl: left; the Pod goes on with the compaction (podctl status)\n');
    leave('left');
  });
  return {
    left,
    [Symbol.dispose]: () => {
      listening[Symbol.dispose]();
    },
  };
}
