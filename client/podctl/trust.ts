import { distrust, findConfig, listTrusted, readProject, trust } from '../project.ts';
import { showName } from './render/style.ts';
import { EXIT, type Shell } from './shell.ts';

export type TrustOptions = {
  readonly folder: string;
  readonly what: 'trust' | 'remove' | 'list';
  readonly format: 'text' | 'json';
};

/** Says in the user's configuration that a project's manifest, as it is now, may set every key; or takes that back. */
export async function trustCommand(shell: Shell, options: TrustOptions): Promise<number> {
  const { folder, what, format } = options;
  const config = findConfig(shell);
  const say = (text: string, value: unknown): number => {
    shell.out.write(format === 'json' ? `${JSON.stringify(value)}\n` : text);
    return EXIT.finished;
  };
  switch (what) {
    case 'trust': {
      const project = await readProject(folder, shell);
      await trust(config, project, new Date());
      const says = `trusted ${showName(project.file)}\n  sha256 ${project.sha256}\n  podd asks again when it changes; to take it back: podctl trust --remove\n`;
      return say(says, { trusted: true, ...project });
    }
    case 'remove': {
      const removed = await distrust(config, folder, shell);
      const says = removed ? 'no longer trusted\n' : 'it was not trusted\n';
      return say(says, { trusted: false, removed });
    }
    case 'list': {
      const all = await listTrusted(config, shell);
      const lines = all.map(
        ({ root, trustedAt, state }) =>
          `${state.padEnd(8)} ${trustedAt.slice(0, 10)} ${showName(root)}\n`,
      );
      return say(all.length === 0 ? 'no project is trusted\n' : lines.join(''), all);
    }
  }
}
