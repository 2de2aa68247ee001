import { Command, CommanderError } from 'commander';
import { PodError, type PodErrorCode } from '../pod-error.ts';
import { explain } from './explain.ts';
import { initCommand } from './init.ts';
import { lsCommand } from './ls.ts';
import { runCommand } from './run.ts';
import { scopeCommand } from './scope.ts';
import { EXIT, type Shell, UsageError } from './shell.ts';
import { statusCommand } from './status.ts';
import { stopCommand } from './stop.ts';
import { trustCommand } from './trust.ts';

const POD = 'a Pod’s name, or the path of its socket';
const JSON_FLAG = '--json';

const EXIT_CODES = `
Exit codes: 1 it failed or was refused, 64 the command line makes no sense, 65 the registry can't be read, 69 no such Pod is reached or the
connection is lost, 70 a bug of podctl, 130 left by a second Ctrl-C, 141 nobody reads the output any more.
POD is looked up in $PODD_RUNTIME_DIR, else $XDG_RUNTIME_DIR/podd, else ~/.podd/run; the registry of all Pods
lies in $PODD_SCOPE_REGISTRY, else ~/.local/state/podd/registry.`;

/** argv (without node and script) in, exit code out. */
export async function podctl(
  argv: readonly string[],
  shell: Shell,
  version: string,
): Promise<number> {
  const chosen: { work?: () => Promise<number>; pod?: string } = {};
  const choose = (pod: string, work: () => Promise<number>): void => {
    chosen.pod = pod;
    chosen.work = work;
  };
  try {
    describeProgram(shell, version, choose).parse([...argv], { from: 'user' });
    return await (chosen.work?.() ?? Promise.resolve(EXIT.usage));
  } catch (error) {
    // Commander has written its own message, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.finished : EXIT.usage;
    return tellFailure(error, chosen.pod ?? '', shell);
  }
}

type Choose = (pod: string, work: () => Promise<number>) => void;
type FormatFlag = { readonly json?: true };
type TrustFlags = { readonly remove?: true; readonly list?: true };
type InitFlags = { readonly name?: string; readonly user?: true; readonly print?: true };

function describeProgram(shell: Shell, version: string, choose: Choose): Command {
  const program = new Command('podctl')
    .description('Talks to Pods: LLM agents that run as daemons (podd) on this machine.')
    .version(`podctl ${version}`, '--version', 'show the version')
    .helpOption('-h, --help', 'show this help')
    .helpCommand(false)
    .showSuggestionAfterError()
    .showHelpAfterError('(podctl --help shows more)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => {
        shell.out.write(text);
      },
      writeErr: (text) => {
        shell.err.write(text);
      },
    })
    .addHelpText('after', EXIT_CODES);

  program
    .command('run')
    .description('Give a Pod an input and show its run: the answer on stdout, its tools on stderr.')
    .argument('<POD>', POD)
    .argument('<TEXT...>', 'what it is to do; a single - reads it from stdin')
    .option(JSON_FLAG, 'print the run’s events, one JSON object a line, on stdout')
    .addHelpText(
      'after',
      `
Exit codes: 0 finished, 1 failed, 2 paused, 3 limit_reached, 4 cancelled.
Ctrl-C cancels the run and waits for its end; a second Ctrl-C leaves it to itself.

Examples:
  podctl run coder "find out why the tests fail, and mend it"
  git diff | podctl run reviewer -
  podctl run coder --json "hello" | jq -r 'select(.event == "text_done").data.text'
  podctl run coder -- "--text that begins with a dash"`,
    )
    .action((pod: string, words: string[], flags: FormatFlag) => {
      choose(pod, () => runCommand(shell, { pod, words, format: formatOf(flags) }));
    });

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
    .command('stop')
    .description(
      'Stop a Pod and wait until it is gone. A run may end first, unless --now is given.',
    )
    .argument('<POD>', POD)
    .option('--now', 'cancel the run')
    .option(JSON_FLAG, 'print the result as JSON')
    .addHelpText('after', examples('podctl stop coder', 'podctl stop --now coder'))
    .action((pod: string, flags: FormatFlag & { readonly now?: true }) => {
      const mode = flags.now === true ? 'now' : 'graceful';
      choose(pod, () => stopCommand(shell, { pod, mode, format: formatOf(flags) }));
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

  program
    .command('trust')
    .description('Let a project’s own manifest, as it is now, set every key. Look at it first.')
    .argument('[DIR]', 'the project: the folder that .podd/ lies in', '.')
    .option('--remove', 'take the trust back')
    .option('--list', 'show the projects that are trusted, and whether they have changed')
    .option(JSON_FLAG, 'print the result as JSON')
    .addHelpText(
      'after',
      `
Until then podd takes little from a manifest that it finds in a folder: name, worker, denied files, and files of
the project itself. The trust holds for this content; when the file changes, podd asks again.
${examples('less .podd/manifest.toml; podctl trust', 'podctl trust --list', 'podctl trust --remove ~/src/old')}`,
    )
    .action((folder: string, flags: FormatFlag & TrustFlags) => {
      if (flags.remove === true && flags.list === true)
        throw new UsageError('--remove and --list are two things: give one of them');
      const what = flags.list === true ? 'list' : flags.remove === true ? 'remove' : 'trust';
      choose('', () => trustCommand(shell, { folder, what, format: formatOf(flags) }));
    });

  program
    .command('init')
    .description('Make a first manifest: of the project in DIR, or with --user of all your Pods.')
    .argument('[DIR]', 'where the project begins; default: here')
    .option('--name <NAME>', 'the Pod’s name; default: made of the folder’s')
    .option('--user', 'make the manifest that all your Pods have in common')
    .option('--print', 'show it on stdout, make nothing')
    .addHelpText('after', examples('podctl init', 'podctl init --user', 'podctl init --print'))
    .action((folder: string | undefined, flags: InitFlags) => {
      const { name = null, user = false, print = false } = flags;
      if (user && folder !== undefined)
        throw new UsageError('--user is for all Pods, DIR for one project: give one of them');
      choose('', () => initCommand(shell, { folder: folder ?? '.', name, user, print }));
    });

  return program;
}

function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}

function formatOf({ json }: FormatFlag): 'text' | 'json' {
  return json === true ? 'json' : 'text';
}

const UNREACHED: readonly PodErrorCode[] = ['no_place', 'unreachable', 'disconnected', 'no_answer'];

function tellFailure(error: unknown, pod: string, { err }: Shell): number {
  if (error instanceof UsageError) {
    err.write(`podctl: ${error.message}; see podctl --help\n`);
    return EXIT.usage;
  }
  if (error instanceof PodError) {
    err.write(`podctl: ${explain(error, pod)}\n`);
    if (error.code === 'bad_registry') return EXIT.badRegistry;
    return UNREACHED.includes(error.code) ? EXIT.unreachable : EXIT.failed;
  }
  const report = error instanceof Error ? (error.stack ?? error.message) : String(error);
  err.write(`podctl: a bug: ${report}\n`);
  return EXIT.bug;
}
