import { Command } from 'commander';
import { run } from './run.ts';
import { status } from './status.ts';
import { stop } from './stop.ts';
import type { Terminal } from './terminal.ts';

const WHO = 'the name of the Pod, or the path of its socket (anything with a /)';

/** The command line. Each command tells its exit code by `end`; commander throws for usage, help and version. */
export function createProgram(
  terminal: Terminal,
  version: string,
  end: (exitCode: number) => void,
): Command {
  const program = new Command('podctl')
    .description('Talks to Pods: local daemons that run one LLM agent each (see podd --help).')
    .version(version, '--version', 'print the version')
    .exitOverride()
    .showHelpAfterError('Try: podctl --help')
    .addHelpText('after', `\n${EXAMPLES}\n\n${EXIT_CODES}\n`);
  addRun(program, terminal, end);
  addStatus(program, terminal, end);
  addStop(program, terminal, end);
  return program;
}

function addRun(program: Command, terminal: Terminal, end: (exitCode: number) => void): void {
  program
    .command('run')
    .summary('give a Pod something to do and show it')
    .description(
      'Gives a Pod something to do and shows the run until it ends. The answer goes to stdout as it\n' +
        'comes, what the agent does to stderr. Ctrl-C cancels the run; a second one leaves it alone.',
    )
    .argument('<pod>', WHO)
    .argument('<text...>', 'what to do; a lone - reads it from stdin')
    .option('--json', "the run's events as JSON, one a line; the last one is its end", false)
    .addHelpText(
      'after',
      `
Examples:
  podctl run quickstart 'Fix the failing test'
  git diff | podctl run reviewer -
  podctl run coder --json 'Say hello' | jq -r 'select(.event == "text_done").data.text'
  podctl run coder -- --help is what I want you to explain

Exit codes: 0 finished, 1 failed, 2 paused, 3 limit reached, 4 cancelled.
`,
    )
    .action(async (pod: string, text: string[], { json }: { json: boolean }) => {
      end(await run(terminal, { pod, text, json }));
    });
}

function addStatus(program: Command, terminal: Terminal, end: (exitCode: number) => void): void {
  program
    .command('status')
    .summary('show what a Pod is doing')
    .description('Shows what a Pod is doing, its session, model and scope.')
    .argument('<pod>', WHO)
    .option('--json', 'the Status as one line of JSON', false)
    .addHelpText(
      'after',
      `
Examples:
  podctl status quickstart
  podctl status quickstart --json | jq .state
`,
    )
    .action(async (pod: string, { json }: { json: boolean }) => {
      end(await status(terminal, { pod, json }));
    });
}

function addStop(program: Command, terminal: Terminal, end: (exitCode: number) => void): void {
  program
    .command('stop')
    .summary('stop a Pod')
    .description(
      'Stops a Pod and waits until its process is gone. A run that is open may end first. Its session\n' +
        'stays on disk: started again, the Pod goes on with it.',
    )
    .argument('<pod>', WHO)
    .option('--now', 'cancel the run that is open', false)
    .option('--json', 'say it as one line of JSON', false)
    .addHelpText(
      'after',
      `
Examples:
  podctl stop quickstart
  podctl stop quickstart --now
`,
    )
    .action(async (pod: string, { now, json }: { now: boolean; json: boolean }) => {
      end(await stop(terminal, { pod, now, json }));
    });
}

const EXAMPLES = `Examples:
  podd --manifest manifests/quickstart.toml &
  podctl run quickstart 'Fix the failing test'
  podctl status quickstart
  podctl stop quickstart`;

const EXIT_CODES = `Exit codes: 0 done, 1 the run failed or the Pod refused, 2 to 4 see podctl run --help, 64 usage,
69 no such Pod is running or it went away, 70 a bug, 130 left by a second Ctrl-C, 141 output closed.

A Pod's socket is <runtime>/<pod>/sock; <runtime> is $PODD_RUNTIME_DIR, else $XDG_RUNTIME_DIR/podd,
else ~/.podd/run. NO_COLOR turns colours off.`;
