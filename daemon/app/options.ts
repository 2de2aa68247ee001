import { parseArgs } from 'node:util';
import { Fault } from '../core/fault.ts';
import { nearest } from '../core/nearest.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What the Pod is made of, as the command line says it. */
export type ConfigOptions = {
  readonly manifest: string;
  /** Null: where the user's own lies by default. */
  readonly userManifest: string | null;
  /** No configuration but what the command line names. */
  readonly bare: boolean;
  /** TOML above the manifest, lowest first; `source` is the flag that said it. */
  readonly overlays: readonly { readonly source: string; readonly text: string }[];
};

export type ServeOptions = ConfigOptions & {
  readonly kind: 'serve';
  readonly session: 'latest' | 'new';
  readonly readyFd: number;
  readonly logLevel: LogLevel;
  /** Without it the log goes to stderr only where that is a terminal. */
  readonly logStderr: boolean;
};

export type CheckOptions = ConfigOptions & { readonly kind: 'check' };

export type Options =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | CheckOptions
  | ServeOptions;

const FLAGS = {
  manifest: { type: 'string' },
  'user-manifest': { type: 'string' },
  bare: { type: 'boolean', default: false },
  overlay: { type: 'string', multiple: true },
  name: { type: 'string' },
  session: { type: 'string', default: 'latest' },
  'ready-fd': { type: 'string', default: '1' },
  'log-level': { type: 'string', default: 'info' },
  'log-stderr': { type: 'boolean', default: false },
  check: { type: 'boolean', default: false },
  version: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

export const USAGE = `podd: runs one LLM agent (a Pod) in the foreground, until it is told to stop.

Usage: podd --manifest FILE [options]

  --manifest FILE       what the Pod is: its name, model and scope (TOML)
  --user-manifest FILE  what your manifests have in common; default: manifest.toml in
                        $XDG_CONFIG_HOME/podd, else ~/.config/podd
  --bare                leave that one out
  --overlay TOML        more on top of the manifest; can be repeated, the last one wins
  --name NAME           the Pod's name, whatever the manifests say
  --session latest|new  go on with the session that was live last (default), or begin one
  --ready-fd N          write the ready line to this descriptor (default 1, stdout)
  --log-level LEVEL     debug, info (default), warn or error; the log is in the Pod's state folder
  --log-stderr          the log's lines go to stderr too, as they do when it is a terminal
  --check               look whether a Pod could be made of all this here, claim nothing, start nothing
  --version             print the version
  -h, --help            print this

When it serves, it prints one JSON line: {"ready":true,"pod","pid","socket","sessionId","epoch"}.
Exit codes: 0 stopped, 64 usage, 65 store damaged, 69 provider unusable, 70 a bug, 73 can't create
socket, registry or store, 75 name or scope is taken (or was lost to another Pod), 78 configuration.
A second signal n ends it at once (a shell says 128+n); what still hangs 3 s later is killed (137).

Examples:
  podd --manifest manifests/quickstart.toml
  podd --manifest pod.toml --session new --log-level debug
  podd --manifest pod.toml --check
  podd --manifest pod.toml --name second --overlay 'worker.max_turns = 3'
  podctl run NAME 'Fix the failing test'      (from another terminal)
`;

/** argv → options. What is not understood is a Fault `usage` that names it. */
export function parseOptions(argv: readonly string[]): Options {
  let values: ReturnType<typeof parse>['values'];
  try {
    const parsed = parse(argv);
    for (const token of parsed.tokens)
      if (token.kind === 'option' && !(token.name in FLAGS)) throw unknownFlag(token.rawName);
    values = parsed.values;
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    throw usage(cause instanceof Error ? cause.message : 'unreadable options', cause);
  }
  if (values.help) return { kind: 'help' };
  if (values.version) return { kind: 'version' };
  if (values.manifest === undefined) throw usage('--manifest FILE is required');
  if (values.bare && values['user-manifest'] !== undefined)
    throw usage('--bare leaves the user manifest out, so it goes with no --user-manifest');
  const config: ConfigOptions = {
    manifest: values.manifest,
    userManifest: values['user-manifest'] ?? null,
    bare: values.bare,
    overlays: overlaysOf(values.overlay ?? [], values.name),
  };
  const serve: ServeOptions = {
    kind: 'serve',
    ...config,
    session: oneOf('--session', values.session, ['latest', 'new'] as const),
    readyFd: descriptor(values['ready-fd']),
    logLevel: oneOf('--log-level', values['log-level'], LOG_LEVELS),
    logStderr: values['log-stderr'],
  };
  return values.check ? { kind: 'check', ...config } : serve;
}

// A name is checked like any other, and said to be the flag's.
function overlaysOf(
  overlays: readonly string[],
  name: string | undefined,
): { source: string; text: string }[] {
  const numbered = overlays.map((text, index) => ({
    source: overlays.length === 1 ? '--overlay' : `--overlay (${index + 1} of ${overlays.length})`,
    text,
  }));
  if (name === undefined) return numbered;
  return [...numbered, { source: '--name', text: `pod.name = ${JSON.stringify(name)}` }];
}

function parse(argv: readonly string[]) {
  return parseArgs({ args: [...argv], options: FLAGS, strict: true, tokens: true });
}

function unknownFlag(name: string): Fault {
  return usage(`unknown option ${name}`);
}

function descriptor(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw usage(`--ready-fd takes a descriptor's number, not "${text}"`);
}

function oneOf<T extends string>(flag: string, value: string, known: readonly T[]): T {
  const found = known.find((one) => one === value);
  if (found !== undefined) return found;
  const near = nearest(value, known);
  const hint = near === undefined ? '' : ` (did you mean ${near}?)`;
  throw usage(`${flag} takes ${known.join(', ')}, not "${value}"${hint}`);
}

function usage(says: string, cause?: unknown): Fault {
  return new Fault('usage', `${says}\nTry: podd --help`, { cause });
}
