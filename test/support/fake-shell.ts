import type { Shell } from '../../client/podctl/shell.ts';

/** A shell that keeps what is written, and whose Ctrl-C a test presses. */
export class FakeShell {
  outText = '';
  errText = '';
  readonly shell: Shell;
  readonly #interrupts = new Set<() => void>();

  constructor(changes: Partial<Shell> & { readonly terminal?: boolean } = {}) {
    const { terminal = false, ...given } = changes;
    this.shell = {
      env: {},
      home: '/home/someone',
      userHome: '/home/someone',
      cwd: '/work',
      schema: '/podd/manifest.schema.json',
      stdin: bytesOf(),
      stdinIsTerminal: terminal,
      leaveStdin: () => undefined,
      out: { write: (text) => (this.outText += text), drained, isTerminal: terminal },
      err: { write: (text) => (this.errText += text), drained, isTerminal: terminal },
      onInterrupt: (listener) => {
        this.#interrupts.add(listener);
        return {
          [Symbol.dispose]: () => {
            this.#interrupts.delete(listener);
          },
        };
      },
      ...given,
    };
  }

  interrupt(): void {
    for (const listener of this.#interrupts) listener();
  }
}

const drained = (): Promise<void> => Promise.resolve();

export async function* bytesOf(...chunks: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks)
    yield await Promise.resolve(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
}
