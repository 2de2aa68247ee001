import type { Item } from '../../protocol/items.ts';
import type { Reply } from '../../protocol/methods.ts';
import { connect } from '../connect.ts';
import { findSocket } from '../find-pods.ts';
import { CLIENT_LIMITS } from '../limits.ts';
import type { PodClient } from '../pod-client.ts';
import { PodError } from '../pod-error.ts';
import { renderItem } from './render/history-text.ts';
import { styleFor } from './render/style.ts';
import { EXIT, type Shell } from './shell.ts';

export type HistoryOptions = {
  readonly pod: string;
  readonly session: string | undefined;
  readonly format: 'text' | 'json';
};

type Page = Reply<'GetHistory'>;

/** Prints a session's items, page after page: as text, or each as JSON on a line. */
export async function historyCommand(shell: Shell, options: HistoryOptions): Promise<number> {
  const { out, env } = shell;
  const style = styleFor(out, env);
  const show = (item: Item): string =>
    options.format === 'json' ? `${JSON.stringify(item)}\n` : renderItem(item, style);
  await using client = await connect(findSocket(options.pod, shell));
  let sessionId = options.session;
  for (let from: number | undefined = 0; from !== undefined; ) {
    const page: Page = await askPage(client, sessionId, from);
    // The next page is of this session, also if the Pod has gone over to another one.
    ({ sessionId, next: from } = page);
    for (const item of page.items) out.write(show(item));
    await out.drained();
  }
  return EXIT.finished;
}

/** Two histories in one output would look like one: nothing is begun anew behind pages that are printed. */
async function askPage(
  client: PodClient,
  sessionId: string | undefined,
  from: number,
): Promise<Page> {
  const limits = { deadlineMs: CLIENT_LIMITS.answerMs };
  try {
    return await client.request('GetHistory', { sessionId, from }, limits);
  } catch (cause) {
    const isGone = cause instanceof PodError && cause.code === 'unknown_session';
    if (!isGone || from === 0) throw cause;
    const says = `it went over to another session while this one was read: what comes after item ${from} is missing here`;
    throw new PodError('unknown_session', `${says}; podctl history again shows the new session`, {
      cause,
    });
  }
}
