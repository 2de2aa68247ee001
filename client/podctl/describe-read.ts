import { CLIENT_LIMITS } from '../limits.ts';
import {
  type Describe,
  examples,
  type FormatFlag,
  formatOf,
  JSON_FLAG,
  parseCount,
  POD,
} from './describe.ts';
import { eventsCommand } from './events.ts';
import { historyCommand } from './history.ts';
import { logsCommand } from './logs.ts';
import { lsCommand } from './ls.ts';
import { scopeCommand } from './scope.ts';
import { statusCommand } from './status.ts';
import { usageCommand } from './usage.ts';

type EventFlags = { readonly follow?: true; readonly after?: string };
type UsageFlags = { readonly session?: string; readonly svg?: string };
type LogFlags = { readonly follow?: true; readonly lines: string; readonly state?: string };

/** The commands that look and change nothing. */
export const describeRead: Describe = (program, shell, choose) => {
  program
    .command('status')
    .description('Show what a Pod is doing, in which session, and what it may touch.')
    .argument('<POD>', POD)
    .option(JSON_FLAG, 'print the whole status as JSON')
    .addHelpText('after', examples('podctl status coder', 'podctl status --json coder | jq .state'))
    .action((pod: string, flags: FormatFlag) => {
      choose(pod, () => statusCommand(shell, { pod, format: formatOf(flags) }));
    });

  program
    .command('history')
    .description('Show a session from its beginning: what was said, the calls, and their results.')
    .argument('<POD>', POD)
    .option('--session <ID>', 'another session than the live one')
    .option(JSON_FLAG, 'print the items whole, one JSON object a line')
    .addHelpText(
      'after',
      examples(
        'podctl history coder | less -R',
        `podctl history coder --json | jq -r 'select(.type == "tool_call").name'`,
      ),
    )
    .action((pod: string, flags: FormatFlag & { readonly session?: string }) => {
      const { session } = flags;
      choose(pod, () => historyCommand(shell, { pod, session, format: formatOf(flags) }));
    });

  program
    .command('usage')
    .description('Show what each model request of a session cost: tokens, cached ones, and money.')
    .argument('<POD>', POD)
    .option('--session <ID>', 'another session than the live one')
    .option('--svg <FILE>', 'also draw how full the model’s window was, request by request')
    .option(JSON_FLAG, 'print the records whole, one JSON object a line')
    .addHelpText(
      'after',
      `
A compaction begins a new session, and the live one has its own requests only: those before it are in the session
that compaction_done and podctl compact name as "from".
${examples(
  'podctl usage coder',
  'podctl usage coder --svg occupancy.svg',
  `podctl usage coder --json | jq -s 'map(.output) | add'`,
)}`,
    )
    .action((pod: string, flags: FormatFlag & UsageFlags) => {
      const { session, svg } = flags;
      choose(pod, () => usageCommand(shell, { pod, session, svg, format: formatOf(flags) }));
    });

  program
    .command('events')
    .description(
      'Print a Pod’s events, one JSON object a line: those that it still keeps, and it ends.',
    )
    .argument('<POD>', POD)
    .option('-f, --follow', 'print what happens from now on, also after the Pod was started again')
    .option('--after <EPOCH:SEQ>', 'begin behind this event')
    .addHelpText(
      'after',
      `
Each event comes once and in order. What is missing, as after a restart, is a line of its own: {"event":"gap",…}.
Text that was being streamed when it was connected comes as a delta; deltas repeat the seq of the event before.
${examples(
  'podctl events coder',
  `podctl events coder --follow | jq -c 'select(.event == "tool_call_done").data'`,
  'podctl events coder --after 3:120 --follow',
)}`,
    )
    .action((pod: string, { follow, after }: EventFlags) => {
      choose(pod, () => eventsCommand(shell, { pod, follow: follow === true, after }));
    });

  program
    .command('logs')
    .description('Show the end of a Pod’s log, podd.log in its state folder. The Pod may be dead.')
    .argument('<NAME>', 'the Pod’s name')
    .option('-f, --follow', 'go on with what is written from now on, until Ctrl-C')
    .option('-n, --lines <N>', 'how many lines', String(CLIENT_LIMITS.logLines))
    .option('--state <DIR>', 'the --state that the Pod was started with; default: as podd finds it')
    .option(JSON_FLAG, 'print the lines as they stand there, JSON')
    .addHelpText(
      'after',
      examples(
        'podctl logs coder',
        'podctl logs -f coder',
        `podctl logs coder --json | jq -r .msg`,
      ),
    )
    .action((pod: string, flags: FormatFlag & LogFlags) => {
      const { state } = flags;
      const follow = flags.follow === true;
      const lines = parseCount('--lines', flags.lines);
      choose(pod, () => logsCommand(shell, { pod, follow, lines, state, format: formatOf(flags) }));
    });

  program
    .command('ls')
    .description(
      'List all Pods of this user and machine: what each does, and how full its history is.',
    )
    .option(JSON_FLAG, 'print them as one JSON array')
    .addHelpText(
      'after',
      `
A Pod that does not answer is listed as unreachable, one whose process is gone as dead; where many hang, the rest
is listed as not asked.
${examples('podctl ls', `podctl ls --json | jq -r '.[] | select(.state == "idle").pod'`)}`,
    )
    .action((flags: FormatFlag) => {
      choose('', () => lsCommand(shell, { format: formatOf(flags) }));
    });

  program
    .command('scope')
    .description('Show who owns what: each Pod with the files it may touch, and what it gave away.')
    .option(JSON_FLAG, 'print the registry as JSON, with whether each owner lives')
    .addHelpText(
      'after',
      examples(
        'podctl scope',
        `podctl scope --json | jq -r '.allocations[] | "\\(.pod) \\(.allow[].target)"'`,
      ),
    )
    .action((flags: FormatFlag) => {
      choose('', () => scopeCommand(shell, { format: formatOf(flags) }));
    });
};
