import type { Position, StreamedEvent } from '../catch-up.ts';
import { connect } from '../connect.ts';
import { EventStream } from '../event-stream.ts';
import { findSocket } from '../find-pods.ts';
import { CLIENT_LIMITS } from '../limits.ts';
import { EXIT, type Shell, UsageError } from './shell.ts';

export type EventsCommandOptions = {
  readonly pod: string;
  readonly follow: boolean;
  /** `EPOCH:SEQ`. */
  readonly after: string | undefined;
};

/** No Pod has this epoch, so what comes after it is all that is kept. */
const ALL: Position = { epoch: 0, seq: 0 };

/** Prints events, each as JSON on a line: those that the Pod keeps, or with `follow` those to come as well. */
export async function eventsCommand(shell: Shell, options: EventsCommandOptions): Promise<number> {
  const { out, err, onInterrupt } = shell;
  const { pod, follow } = options;
  const after = options.after === undefined ? undefined : parsePosition(options.after);
  const socket = findSocket(pod, shell);
  // A Pod that was never there is not waited for.
  await (await connect(socket))[Symbol.asyncDispose]();
  const left = new AbortController();
  using _interrupts = onInterrupt(() => {
    left.abort();
  });
  await using stream = new EventStream(socket, {
    after: after ?? (follow ? undefined : ALL),
    signal: left.signal,
    redialMs: follow ? CLIENT_LIMITS.followMs : CLIENT_LIMITS.redialMs,
    onConnection: (state) => {
      const says = state === 'lost' ? 'the connection is lost, waiting for the Pod' : 'it is back';
      err.write(`podctl: Pod ${pod}: ${says}\n`);
    },
  });
  const print = async (event: StreamedEvent): Promise<void> => {
    out.write(`${JSON.stringify(event)}\n`);
    await out.drained();
  };
  try {
    if (follow) for await (const event of stream) await print(event);
    else await printKept(stream, after, print);
  } catch (error) {
    if (!left.signal.aborted) throw error;
    return EXIT.interrupted;
  }
  return EXIT.finished;
}

/** What the Pod has at this moment; that there was more before it is only told to who asked for that. */
async function printKept(
  stream: EventStream,
  after: Position | undefined,
  print: (event: StreamedEvent) => Promise<void>,
): Promise<void> {
  const { seq, missed, reset } = await stream.ready;
  let at = reset ? missed : (after?.seq ?? 0) + missed;
  let hasGap = reset || missed > 0;
  while (hasGap || at < seq) {
    const { value } = await stream.next();
    if (value === undefined) return;
    at = value.seq;
    if (value.event !== 'gap' || after !== undefined) await print(value);
    if (value.event === 'gap') hasGap = false;
  }
}

function parsePosition(text: string): Position {
  const match = /^(\d{1,15}):(\d{1,15})$/.exec(text);
  if (match === null) throw new UsageError(`--after takes EPOCH:SEQ, as 12:345, not "${text}"`);
  return { epoch: Number(match[1]), seq: Number(match[2]) };
}
