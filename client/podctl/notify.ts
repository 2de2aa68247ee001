import { connect } from '../connect.ts';
import { findSocket } from '../find-pods.ts';
import { CLIENT_LIMITS } from '../limits.ts';
import { readInput } from './read-input.ts';
import { EXIT, type Shell } from './shell.ts';

export type NotifyOptions = {
  readonly pod: string;
  readonly words: readonly string[];
  readonly from: string | undefined;
  readonly id: string | undefined;
  readonly format: 'text' | 'json';
};

/** Tells a Pod something, and waits for nothing but that it is on disk. */
export async function notifyCommand(shell: Shell, options: NotifyOptions): Promise<number> {
  const { pod, words, from, id, format } = options;
  const message = await readInput(shell, words);
  await using client = await connect(findSocket(pod, shell));
  const answer = await client.request(
    'Notify',
    { message, from, notifyId: id },
    { deadlineMs: CLIENT_LIMITS.answerMs },
  );
  const { started, duplicate } = answer;
  const says = duplicate
    ? 'was told this before, under this id'
    : started
      ? 'begins a run by it'
      : 'is told before its next request';
  shell.out.write(format === 'json' ? `${JSON.stringify(answer)}\n` : `Pod ${pod} ${says}\n`);
  return EXIT.finished;
}
