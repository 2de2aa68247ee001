import type { Item } from '../../protocol/items.ts';
import { connect } from '../connect.ts';
import { findSocket } from '../find-pods.ts';
import { CLIENT_LIMITS } from '../limits.ts';
import { renderItem } from './render/history-text.ts';
import { styleFor } from './render/style.ts';
import { EXIT, type Shell } from './shell.ts';

export type HistoryOptions = {
  readonly pod: string;
  readonly session: string | undefined;
  readonly format: 'text' | 'json';
};

/** Prints a session's items, page after page: as text, or each as JSON on a line. */
export async function historyCommand(shell: Shell, options: HistoryOptions): Promise<number> {
  const { out, env } = shell;
  const style = styleFor(out, env);
  const show = (item: Item): string =>
    options.format === 'json' ? `${JSON.stringify(item)}\n` : renderItem(item, style);
  await using client = await connect(findSocket(options.pod, shell));
  let sessionId = options.session;
  for (let from: number | undefined = 0; from !== undefined; ) {
    const page: { items: Item[]; sessionId: string; next?: number | undefined } =
      await client.request(
        'GetHistory',
        { sessionId, from },
        { deadlineMs: CLIENT_LIMITS.answerMs },
      );
    // The Pod may go over to another session between two pages.
    ({ sessionId, next: from } = page);
    for (const item of page.items) out.write(show(item));
    await out.drained();
  }
  return EXIT.finished;
}
