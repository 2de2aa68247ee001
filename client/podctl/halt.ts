import { connect } from '../connect.ts';
import { findSocket } from '../find-pods.ts';
import { CLIENT_LIMITS } from '../limits.ts';
import { oneLine } from './render/style.ts';
import { EXIT, type Shell } from './shell.ts';

export type HaltOptions = { readonly pod: string; readonly format: 'text' | 'json' };

/** Ends the run that is open, whoever began it. Answers 1 while something of it is left. */
export async function cancelCommand(
  shell: Shell,
  { pod, format, clearQueue }: HaltOptions & { readonly clearQueue: boolean },
): Promise<number> {
  await using client = await connect(findSocket(pod, shell));
  const params = clearQueue ? { clearQueue } : {};
  const answer = await client.request('Cancel', params, { deadlineMs: CLIENT_LIMITS.cancelMs });
  const { runId, quiescent, survivors } = answer;
  const left = survivors.map(({ kind, id }) => oneLine(`${kind} ${id}`, 120)).join(', ');
  const run = runId === null ? 'no run was open' : `run ${oneLine(runId, 120)} is cancelled`;
  const says = quiescent ? run : `${run}, but this still works: ${left}`;
  shell.out.write(format === 'json' ? `${JSON.stringify(answer)}\n` : `Pod ${pod}: ${says}\n`);
  return quiescent ? EXIT.finished : EXIT.failed;
}

/** Lets the run stop where it can go on later. It has not stopped yet when this answers. */
export async function pauseCommand(shell: Shell, { pod, format }: HaltOptions): Promise<number> {
  await using client = await connect(findSocket(pod, shell));
  const answer = await client.request('Pause', {}, { deadlineMs: CLIENT_LIMITS.answerMs });
  const says = `run ${oneLine(answer.runId, 120)} pauses before its next request (podctl resume goes on)`;
  shell.out.write(format === 'json' ? `${JSON.stringify(answer)}\n` : `Pod ${pod}: ${says}\n`);
  return EXIT.finished;
}
