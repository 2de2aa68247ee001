import { connect } from '../connect.ts';
import { findSocket } from '../find-pods.ts';
import { CLIENT_LIMITS } from '../limits.ts';
import { renderStatus } from './render/status-text.ts';
import { styleFor } from './render/style.ts';
import { EXIT, type Shell } from './shell.ts';

export type StatusOptions = { readonly pod: string; readonly format: 'text' | 'json' };

export async function statusCommand(shell: Shell, options: StatusOptions): Promise<number> {
  await using client = await connect(findSocket(options.pod, shell));
  const status = await client.request('GetStatus', {}, { deadlineMs: CLIENT_LIMITS.answerMs });
  const text =
    options.format === 'json'
      ? `${JSON.stringify(status)}\n`
      : renderStatus(status, styleFor(shell.out, shell.env));
  shell.out.write(text);
  return EXIT.finished;
}
