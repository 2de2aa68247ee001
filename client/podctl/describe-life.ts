import { type Describe, examples, type FormatFlag, formatOf, JSON_FLAG, POD } from './describe.ts';
import { initCommand } from './init.ts';
import { UsageError } from './shell.ts';
import { startCommand } from './start.ts';
import { stopCommand } from './stop.ts';
import { trustCommand } from './trust.ts';

type TrustFlags = { readonly remove?: true; readonly list?: true };
type InitFlags = { readonly name?: string; readonly user?: true; readonly print?: true };

/** The commands by which a Pod comes to be, and ends. */
export const describeLife: Describe = (program, shell, choose) => {
  program
    .command('start')
    .description('Start a Pod that goes on without this terminal, and wait until it is ready.')
    .argument(
      '[MANIFEST]',
      'what the Pod is; default: the nearest .podd/manifest.toml from here upwards',
    )
    .argument('[FLAGS...]', 'behind --: more of podd’s own (podd --help)')
    .option(JSON_FLAG, 'print its ready line as JSON')
    .addHelpText(
      'after',
      `
It works in the folder that you are in, which has to be one of its scope. Where it can't be started, podd's own line
says why, and its exit code is this one's. What it does later is in its log: podctl logs NAME.
${examples('podctl start', 'podctl start pod.toml', 'podctl start pod.toml -- --session new --log-level debug')}`,
    )
    .action((manifest: string | undefined, more: string[], flags: FormatFlag) => {
      const words = manifest === undefined ? more : [manifest, ...more];
      choose('', () => startCommand(shell, { words, format: formatOf(flags) }));
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
};
