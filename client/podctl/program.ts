import { Command, CommanderError } from 'commander';
import { PodError, type PodErrorCode } from '../pod-error.ts';
import type { Choose } from './describe.ts';
import { describeLife } from './describe-life.ts';
import { describeRead } from './describe-read.ts';
import { describeTalk } from './describe-talk.ts';
import { explain } from './explain.ts';
import { EXIT, type Shell, UsageError } from './shell.ts';
import { exitOfStart } from './start.ts';

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

  describeTalk(program, shell, choose);
  describeLife(program, shell, choose);
  describeRead(program, shell, choose);
  return program;
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
    if (error.code === 'start_failed') return exitOfStart(error.data);
    return UNREACHED.includes(error.code) ? EXIT.unreachable : EXIT.failed;
  }
  const report = error instanceof Error ? (error.stack ?? error.message) : String(error);
  err.write(`podctl: a bug: ${report}\n`);
  return EXIT.bug;
}
