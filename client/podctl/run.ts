import type { RunReport } from '../../protocol/report.ts';
import { connect } from '../connect.ts';
import type { EventStream, PodEvent } from '../event-stream.ts';
import type { PodClient } from '../pod-client.ts';
import { PodRefusal, Unreachable } from '../errors.ts';
import { EXIT, EXIT_OF_OUTCOME } from './exit-codes.ts';
import { readInput } from './read-input.ts';
import { RunView } from './render/run-view.ts';
import type { Terminal } from './terminal.ts';

export type RunOptions = {
  readonly pod: string;
  readonly text: readonly string[];
  readonly json: boolean;
};

/** Gives a Pod an input and shows the run until it ends. Answers the exit code. */
export async function run(terminal: Terminal, options: RunOptions): Promise<number> {
  const input = await readInput(options.text, terminal.stdin);
  await using client = await connect(options.pod, terminal);
  using events = client.events();
  await client.call('Subscribe', {});
  using _interrupts = cancelOnInterrupt(terminal, client);
  const answer = await client.call('Run', { input, wait: 'accepted' });
  const print = options.json ? printJson(terminal) : printForPeople(terminal);
  // Cancelled before anything of it was stored: such a run has a report and no events.
  if ('outcome' in answer) return await endEarly(terminal, answer, options);
  for await (const event of eventsOf(events, answer.runId)) {
    await print(event);
    const exitCode = readEnd(event, options.pod);
    if (exitCode !== null) return exitCode;
  }
  throw new Unreachable(
    'lost',
    `the Pod ${options.pod} went away before run ${answer.runId} had ended; what was done is in its session`,
  );
}

/** A run's events from its start on. Others may have gone before it. */
async function* eventsOf(events: EventStream, runId: string): AsyncGenerator<PodEvent> {
  let begun = false;
  for await (const event of events) {
    begun ||= event.event === 'run_start' && event.data.runId === runId;
    if (begun) yield event;
  }
}

/** The exit code when the event is the run's last one. A failed run is thrown. */
function readEnd({ event, data }: PodEvent, pod: string): number | null {
  if (event === 'run_end' && 'report' in data) return EXIT_OF_OUTCOME[data.report.outcome];
  // A run whose end could not be stored is told by an error.
  const error =
    event === 'run_end' && 'error' in data ? data.error : event === 'error' ? data : null;
  if (error === null) return null;
  const message = `the run of ${pod} failed: ${error.message}`;
  throw new PodRefusal({ code: EXIT.failed, message, data: { code: error.code } });
}

async function endEarly(
  terminal: Terminal,
  report: RunReport,
  { json }: RunOptions,
): Promise<number> {
  if (json) await terminal.out.write(`${JSON.stringify(report)}\n`);
  else await terminal.err.write(`${report.outcome} before it began\n`);
  return EXIT_OF_OUTCOME[report.outcome];
}

type Print = (event: PodEvent) => Promise<void>;

function printJson({ out }: Terminal): Print {
  return async (event) => {
    await out.write(`${JSON.stringify(event)}\n`);
  };
}

function printForPeople({ out, err }: Terminal): Print {
  const view = new RunView({ out: out.style, err: err.style });
  return async (event) => {
    for (const { to, text } of view.show(event)) await (to === 'out' ? out : err).write(text);
  };
}

// The first Ctrl-C asks the Pod to cancel and waits for the run's end; the second one leaves the run to itself.
function cancelOnInterrupt(terminal: Terminal, client: PodClient): Disposable {
  let asked = false;
  return terminal.onInterrupt(() => {
    if (asked) {
      terminal.leave(EXIT.interrupted);
      return;
    }
    asked = true;
    cancel(terminal, client).catch(() => {
      // The run's end, or the connection's, tells the rest.
    });
  });
}

async function cancel({ err }: Terminal, client: PodClient): Promise<void> {
  await err.write(err.style.dim('\ncancelling (Ctrl-C again: leave at once)\n'));
  const { quiescent, survivors } = await client.call('Cancel', {});
  if (quiescent) return;
  const left = survivors.map(({ kind, id }) => `${kind} ${id}`).join(', ');
  await err.write(err.style.yellow(`! not ended yet: ${err.style.foreign(left)}\n`));
}
