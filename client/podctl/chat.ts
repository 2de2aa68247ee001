import { findSocket } from '../find-pods.ts';
import { CLIENT_LIMITS } from '../limits.ts';
import { openClient } from '../reconnecting-client.ts';
import { ChatRuns } from './chat-runs.ts';
import { parseChatLine, readLines } from './chat-lines.ts';
import { oneLine, styleFor } from './render/style.ts';
import { renderStatus } from './render/status-text.ts';
import { EXIT, type Shell } from './shell.ts';

/**
 * A line in, a streamed answer out. On a terminal commands are obeyed while a run goes on, and what is typed meanwhile
 * waits in the Pod; from a pipe each line waits for the run before it.
 */
export async function chatCommand(
  shell: Shell,
  { pod }: { readonly pod: string },
): Promise<number> {
  const { err, env, stdinIsTerminal: isTyped } = shell;
  const style = styleFor(err, env);
  await using client = await openClient(findSocket(pod, shell), {
    redialMs: CLIENT_LIMITS.followMs,
  });
  const note = (text: string): void => {
    runs.endLine();
    err.write(`${style.dim(oneLine(text, 1_000))}\n`);
  };
  const runs = new ChatRuns(shell, client, note);
  const stream = client.events({
    onConnection: (state) => {
      note(state === 'lost' ? `Pod ${pod} is gone; waiting for it` : `Pod ${pod} is back`);
    },
  });
  await stream.ready;
  const watched = runs.watch(stream);
  const prompt = (): void => {
    if (isTyped && err.isTerminal && runs.isIdle) err.write(style.bold(`${oneLine(pod, 80)}> `));
  };
  const leaving = leaveOnInterrupt(shell, runs, note);
  using _interrupts = leaving;

  const converse = async (): Promise<number> => {
    if (isTyped) note(`talking to ${pod}: /cancel, /status, /quit; Ctrl-D leaves`);
    prompt();
    for await (const text of readLines(shell.stdin)) {
      const line = parseChatLine(text);
      if (line.kind === 'quit') break;
      if (line.kind === 'cancel') {
        if (!runs.cancel()) note('no run of this chat is open');
      } else if (line.kind === 'status') {
        const status = await client.getStatus().catch((error: unknown) => {
          note(error instanceof Error ? error.message : 'there is no status');
        });
        runs.endLine();
        if (status !== undefined) err.write(renderStatus(status, style));
      } else if (line.kind === 'unknown')
        note(`${line.word} is no command: /cancel, /status, /quit; // begins a text with a slash`);
      else if (line.kind === 'say') {
        const said = runs.say(line.text).then(prompt);
        if (!isTyped) await said;
        continue;
      }
      prompt();
    }
    if (runs.isIdle) return isTyped ? EXIT.finished : runs.lastCode;
    note('left; what the run still does is in the Pod (podctl status)');
    return EXIT.finished;
  };
  try {
    return await Promise.race([converse(), watched, leaving.left, runs.failed]);
  } finally {
    shell.leaveStdin();
  }
}

type Leaving = Disposable & { readonly left: Promise<number> };

/** The first Ctrl-C cancels the run of this chat, if there is one; the next one leaves. */
function leaveOnInterrupt(
  { onInterrupt }: Shell,
  runs: ChatRuns,
  note: (text: string) => void,
): Leaving {
  let leave: (code: number) => void = () => undefined;
  const left = new Promise<number>((resolve) => {
    leave = resolve;
  });
  const listening = onInterrupt(() => {
    if (runs.cancel()) {
      note('cancelling the run; Ctrl-C again leaves it to itself');
      return;
    }
    if (!runs.isIdle) note('left; what the run still does is in the Pod (podctl status)');
    leave(EXIT.interrupted);
  });
  return {
    left,
    [Symbol.dispose]: () => {
      listening[Symbol.dispose]();
    },
  };
}
