import { homedir } from 'node:os';
import { CommanderError } from 'commander';
import { EXIT } from './exit-codes.ts';
import { toFailure } from './failure.ts';
import { createProgram } from './program.ts';
import type { Terminal } from './terminal.ts';
import { openOutput } from './terminal.ts';

/** Put in by the build, from package.json. */
declare const PODD_VERSION: string;

const terminal: Terminal = {
  env: process.env,
  home: homedir(),
  stdin: process.stdin,
  out: openOutput(process.stdout, process.env),
  err: openOutput(process.stderr, process.env),
  onInterrupt: (listener) => {
    process.on('SIGINT', listener);
    return {
      [Symbol.dispose]: () => {
        process.off('SIGINT', listener);
      },
    };
  },
  leave: (exitCode) => {
    process.exit(exitCode);
  },
};

async function main(): Promise<void> {
  const program = createProgram(terminal, PODD_VERSION, (exitCode) => {
    process.exitCode = exitCode;
  });
  try {
    await program.parseAsync();
  } catch (error) {
    process.exitCode = await tell(error);
  }
}

async function tell(error: unknown): Promise<number> {
  // Commander has said what it was, help and version among it.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const { exitCode, says } = toFailure(error);
  const text = terminal.err.style.foreign(says);
  if (says !== '') await terminal.err.write(`podctl: ${text}\n`).catch(() => undefined);
  return exitCode;
}

await main();
