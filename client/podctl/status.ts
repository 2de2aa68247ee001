import { connect } from '../connect.ts';
import { EXIT } from './exit-codes.ts';
import { renderStatus } from './render/status-lines.ts';
import type { Terminal } from './terminal.ts';

/** Shows what a Pod is doing. Answers the exit code. */
export async function status(
  terminal: Terminal,
  options: { readonly pod: string; readonly json: boolean },
): Promise<number> {
  await using client = await connect(options.pod, terminal);
  const answer = await client.call('GetStatus', {});
  await terminal.out.write(
    options.json ? `${JSON.stringify(answer)}\n` : renderStatus(answer, terminal.out.style),
  );
  return EXIT.ok;
}
