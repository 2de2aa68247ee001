import type { Command } from 'commander';
import { chatCommand } from './chat.ts';
import { compactCommand } from './compact.ts';
import {
  type Describe,
  examples,
  type FormatFlag,
  formatOf,
  JSON_FLAG,
  parseCount,
  POD,
} from './describe.ts';
import { cancelCommand, pauseCommand } from './halt.ts';
import { notifyCommand } from './notify.ts';
import { resumeCommand, runCommand } from './run.ts';
import { UsageError } from './shell.ts';

type IdFlag = { readonly id?: string };
type RunFlags = { readonly queue?: true; readonly preempt?: true };
type CompactFlags = { readonly instructions?: string; readonly retainedTokens?: string };

const OUTCOMES = `
Exit codes: 0 finished, 1 failed, 2 paused, 3 limit_reached, 4 cancelled.
Ctrl-C cancels the run and waits for its end; a second Ctrl-C leaves it to itself.
`;

/** The commands by which a Pod is given work, or taken from it. */
export const describeTalk: Describe = (program, shell, choose) => {
  program
    .command('run')
    .description('Give a Pod an input and show its run: the answer on stdout, its tools on stderr.')
    .argument('<POD>', POD)
    .argument('<TEXT...>', 'what it is to do; a single - reads it from stdin')
    .option('--id <ID>', 'your name for this input: given again, it is the same run, not another')
    .option('--queue', 'wait behind the run that is open, instead of being refused')
    .option(
      '--preempt',
      'cancel a compaction that is under way, instead of waiting until it is over',
    )
    .option(JSON_FLAG, 'print the run’s events, one JSON object a line, on stdout')
    .addHelpText(
      'after',
      `${OUTCOMES}${examples(
        'podctl run coder "find out why the tests fail, and mend it"',
        'git diff | podctl run reviewer -',
        `podctl run coder --json "hello" | jq -r 'select(.event == "text_done").data.text'`,
        'podctl run coder --id nightly-2026-11-28 "run the tests"',
        'podctl run coder -- "--text that begins with a dash"',
      )}`,
    )
    .action((pod: string, words: string[], flags: FormatFlag & IdFlag & RunFlags) => {
      const { id, queue = false, preempt = false } = flags;
      choose(pod, () =>
        runCommand(shell, { pod, words, id, queue, preempt, format: formatOf(flags) }),
      );
    });

  program
    .command('chat')
    .description(
      'Talk with a Pod: a line in, its answer out. Notices and tools are on stderr, so a pipe gets the text alone.',
    )
    .argument('<POD>', POD)
    .addHelpText(
      'after',
      `
/cancel ends the run, /status shows what the Pod does, /quit or Ctrl-D leaves; a text that begins with a slash
begins with two. Ctrl-C cancels the run; where there is none, or again, it leaves. It outlasts a restart of the Pod.
From a pipe each line waits for the run before it, and the exit code is that of the last run, as of podctl run.
${examples('podctl chat coder', `printf 'hello\\nand now the tests\\n' | podctl chat coder`)}`,
    )
    .action((pod: string) => {
      choose(pod, () => chatCommand(shell, { pod }));
    });

  program
    .command('notify')
    .description(
      'Tell a Pod something: now if it is idle, which begins a run, else before its next request.',
    )
    .argument('<POD>', POD)
    .argument('<TEXT...>', 'what it is told; a single - reads it from stdin')
    .option('--from <NAME>', 'who says it; the model is told')
    .option('--id <ID>', 'your name for this note: given again, it is not told again')
    .option(JSON_FLAG, 'print the answer as JSON')
    .addHelpText(
      'after',
      examples(
        'podctl notify coder --from ci "build 4711 is red"',
        'podctl notify coder --id deploy-17 "the new version is out"',
      ),
    )
    .action(
      (pod: string, words: string[], flags: FormatFlag & IdFlag & { readonly from?: string }) => {
        const { from, id } = flags;
        choose(pod, () => notifyCommand(shell, { pod, words, from, id, format: formatOf(flags) }));
      },
    );

  program
    .command('resume')
    .description(
      'Go on with the last run: paused, cancelled, cut off or at its limit. Shows it as run does.',
    )
    .argument('<POD>', POD)
    .option(JSON_FLAG, 'print the run’s events, one JSON object a line, on stdout')
    .addHelpText('after', `${OUTCOMES}${examples('podctl resume coder')}`)
    .action((pod: string, flags: FormatFlag) => {
      choose(pod, () => resumeCommand(shell, { pod, format: formatOf(flags) }));
    });

  describeCompact(program, shell, choose);
  describeHalt(program, shell, choose);
};

const describeCompact: Describe = (program: Command, shell, choose) => {
  program
    .command('compact')
    .description(
      'Have the older part of a Pod’s history summarised; it goes on with that, in a new session.',
    )
    .argument('<POD>', POD)
    .option('--instructions <TEXT>', 'for whoever writes the summary: what it has to keep')
    .option('--retained-tokens <N>', 'how much of the end stays as it is; default: the manifest’s')
    .option('--id <ID>', 'your name for this: given again, it is not done again')
    .option(JSON_FLAG, 'print the answer as JSON')
    .addHelpText(
      'after',
      `
It takes as long as the model needs for the summary, often minutes. During a run it waits for the moment before the
run's next request. Where it fails, the session is as it was. Ctrl-C leaves it to itself.
${examples(
  'podctl compact coder',
  'podctl compact coder --instructions "keep every decision, and why"',
  `podctl compact coder --retained-tokens 4000 --json | jq .tokensAfter`,
)}`,
    )
    .action((pod: string, flags: FormatFlag & IdFlag & CompactFlags) => {
      const { instructions, retainedTokens: kept, id } = flags;
      if (instructions?.trim() === '') throw new UsageError('--instructions has no text');
      const retainedTokens = kept === undefined ? undefined : parseCount('--retained-tokens', kept);
      const format = formatOf(flags);
      choose(pod, () => compactCommand(shell, { pod, instructions, retainedTokens, id, format }));
    });
};

const describeHalt: Describe = (program: Command, shell, choose) => {
  program
    .command('cancel')
    .description(
      'End the run that is open, and wait until nothing of it is left. What it did stays.',
    )
    .argument('<POD>', POD)
    .option('--clear-queue', 'inputs that wait behind it go too')
    .option(JSON_FLAG, 'print the answer as JSON')
    .addHelpText('after', examples('podctl cancel coder', 'podctl cancel --clear-queue coder'))
    .action((pod: string, flags: FormatFlag & { readonly clearQueue?: true }) => {
      const { clearQueue = false } = flags;
      choose(pod, () => cancelCommand(shell, { pod, clearQueue, format: formatOf(flags) }));
    });

  program
    .command('pause')
    .description('Let the run stop before its next request; podctl resume goes on with it.')
    .argument('<POD>', POD)
    .option(JSON_FLAG, 'print the answer as JSON')
    .addHelpText('after', examples('podctl pause coder; podctl status coder'))
    .action((pod: string, flags: FormatFlag) => {
      choose(pod, () => pauseCommand(shell, { pod, format: formatOf(flags) }));
    });
};
