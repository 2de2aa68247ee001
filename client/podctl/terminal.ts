import type { Environment } from '../../protocol/paths.ts';
import type { Style } from './render/style.ts';
import { createStyle } from './render/style.ts';

/** What a command may touch of its process. */
export type Terminal = {
  readonly env: Environment;
  readonly home: string;
  readonly stdin: AsyncIterable<Uint8Array>;
  readonly out: Output;
  readonly err: Output;
  /** Calls back at each Ctrl-C, which then does not end the process. */
  readonly onInterrupt: (listener: () => void) => Disposable;
  /** Ends the process where it stands. */
  readonly leave: (exitCode: number) => void;
};

export type Output = {
  readonly style: Style;
  /** Resolves when the text is taken. Rejects with `OutputClosed` when nobody reads any more. */
  readonly write: (text: string) => Promise<void>;
};

export class OutputClosed extends Error {
  override readonly name = 'OutputClosed';
}

/** Colours are for terminals whose user did not say no (`NO_COLOR`). */
export function openOutput(
  stream: NodeJS.WriteStream | NodeJS.WritableStream,
  env: Environment,
): Output {
  const isTerminal = 'isTTY' in stream && stream.isTTY;
  const noColor = env['NO_COLOR'] ?? '';
  // The write's own callback tells of the error; without a listener it would end the process as well.
  stream.on('error', () => undefined);
  return {
    style: createStyle({ isTerminal, colors: noColor === '' && env['TERM'] !== 'dumb' }),
    write: async (text) => {
      await new Promise<void>((resolve, reject) => {
        stream.write(text, (error) => {
          if (error) reject(new OutputClosed('the output was closed', { cause: error }));
          else resolve();
        });
      });
    },
  };
}
