import { once } from 'node:events';
import { homedir, userInfo } from 'node:os';
import { fileURLToPath } from 'node:url';
import { podctl } from './program.ts';
import { EXIT, type Output, type Shell } from './shell.ts';

/** Put in by the build, from package.json. */
declare const PODD_VERSION: string;

function outputTo(stream: NodeJS.WriteStream): Output {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // `podctl run … | head`: whoever reads has enough. The run itself goes on in its Pod.
    if (error.code === 'EPIPE') process.exit(EXIT.brokenPipe);
    throw error;
  });
  return {
    write: (text) => {
      stream.write(text);
    },
    drained: async () => {
      if (stream.writableNeedDrain) await once(stream, 'drain');
    },
    isTerminal: stream.isTTY,
    ...(stream.isTTY ? { columns: stream.columns } : {}),
  };
}

function homeInUserDatabase(): string | null {
  try {
    return userInfo().homedir;
  } catch {
    // A container may run as a uid that nobody has entered.
    return null;
  }
}

// In a folder that is gone there is nothing that a relative path could be relative to.
function findCwd(): string {
  try {
    return process.cwd();
  } catch {
    return '/';
  }
}

const shell: Shell = {
  env: process.env,
  home: homedir(),
  userHome: homeInUserDatabase(),
  cwd: findCwd(),
  schema: fileURLToPath(new URL('./manifest.schema.json', import.meta.url)),
  stdin: process.stdin,
  stdinIsTerminal: process.stdin.isTTY,
  leaveStdin: () => {
    process.stdin.destroy();
  },
  out: outputTo(process.stdout),
  err: outputTo(process.stderr),
  onInterrupt: (listener) => {
    process.on('SIGINT', listener);
    return {
      [Symbol.dispose]: () => {
        process.off('SIGINT', listener);
      },
    };
  },
};

process.exitCode = await podctl(process.argv.slice(2), shell, PODD_VERSION);
