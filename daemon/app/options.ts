import { parseArgs } from 'node:util';
import { Fault } from '../core/fault.ts';
import { nearest } from '../core/nearest.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Where the manifest of the Pod itself comes from. */
export type ManifestOption =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'stdin' }
  /** Looked for from `project` upwards. Null: from the working directory. */
  | { readonly kind: 'found'; readonly project: string | null };

/** What the Pod is made of, as the command line says it. */
export type ConfigOptions = {
  readonly manifest: ManifestOption;
  /** Null: where the user's own lies by default. */
  readonly userManifest: string | null;
  /** No configuration but what the command line names. */
  readonly bare: boolean;
  /** TOML above the manifest, lowest first; `source` is the flag that said it. */
  readonly overlays: readonly { readonly source: string; readonly text: string }[];
  /** In the place of PODD_STATE_DIR. */
  readonly state: string | null;
};

/** Which session a start goes on with. */
export type SessionOption =
  | { readonly kind: 'latest' }
  | { readonly kind: 'new' }
  | { readonly kind: 'id'; readonly id: string };

export type ServeOptions = ConfigOptions & {
  readonly kind: 'serve';
  readonly session: SessionOption;
  readonly readyFd: number;
  readonly logLevel: LogLevel;
  /** Without it the log goes to stderr only where that is a terminal. */
  readonly logStderr: boolean;
};

export type CheckOptions = ConfigOptions & { readonly kind: 'check' };
export type PrintOptions = ConfigOptions & { readonly kind: 'print_manifest' };

export type Options =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | CheckOptions
  | PrintOptions
  | ServeOptions;

const FLAGS = {
  manifest: { type: 'string' },
  'user-manifest': { type: 'string' },
  project: { type: 'string' },
  bare: { type: 'boolean', default: false },
  overlay: { type: 'string', multiple: true },
  name: { type: 'string' },
  state: { type: 'string' },
  session: { type: 'string', default: 'latest' },
  'ready-fd': { type: 'string', default: '1' },
  'log-level': { type: 'string', default: 'info' },
  'log-stderr': { type: 'boolean', default: false },
  check: { type: 'boolean', default: false },
  'print-manifest': { type: 'boolean', default: false },
  version: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

export const USAGE = `podd: runs one LLM agent (a Pod) in the foreground, until it is told to stop.

Usage: podd [--manifest FILE] [options]

  --manifest FILE       what the Pod is: its name, model and scope (TOML); - is stdin. Without it:
                        the nearest .podd/manifest.toml from the working directory upwards
  --project DIR         look for that one from DIR upwards instead
  --user-manifest FILE  what your manifests have in common; default: manifest.toml in
                        $XDG_CONFIG_HOME/podd, else ~/.config/podd
  --bare                leave both of these out: only --manifest, overlays and defaults
  --overlay TOML        more on top of the manifest; can be repeated, the last one wins
  --name NAME           the Pod's name, whatever the manifests say
  --state DIR           where Pods keep their sessions, in the place of $PODD_STATE_DIR
  --session latest|new|ID
                        go on with the session that was live last (default), begin one, or go on
                        with an older one
  --ready-fd N          write the ready line to this descriptor (default 1, stdout)
  --log-level LEVEL     debug, info (default), warn or error; the log is in the Pod's state folder
  --log-stderr          the log's lines go to stderr too, as they do when it is a terminal
  --check               look whether a Pod could be made of all this here, claim nothing, start nothing
  --print-manifest      print what all of it makes together, and which layer said each value
  --version             print the version
  -h, --help            print this

A project's own manifest may set little until you trust it: podctl trust DIR.
When it serves, it prints one JSON line: {"ready":true,"pod","pid","socket","sessionId","epoch"}.
Exit codes: 0 stopped, 64 usage, 65 store damaged, 69 provider unusable, 70 a bug, 73 can't create
socket, registry or store, 75 name or scope is taken (or was lost to another Pod), 78 configuration.
A second signal n ends it at once (a shell says 128+n); what still hangs 3 s later is killed (137).

Examples:
  podd --manifest manifests/quickstart.toml
  podd --manifest pod.toml --session new --log-level debug
  podd --check                                (the project that you are in)
  podd --manifest pod.toml --print-manifest
  podd --manifest pod.toml --name second --overlay 'worker.max_turns = 3'
  podctl run NAME 'Fix the failing test'      (from another terminal)
`;

/** argv → options. What is not understood is a Fault `usage` that names it. */
export function parseOptions(argv: readonly string[]): Options {
  let values: ReturnType<typeof parse>['values'];
  try {
    const parsed = parse(argv);
    const given = new Set<string>();
    for (const token of parsed.tokens) {
      if (token.kind !== 'option') continue;
      if (!(token.name in FLAGS)) throw unknownFlag(token.rawName);
      if (given.has(token.name) && token.name !== 'overlay')
        throw usage(`${token.rawName} is given twice: once is enough`);
      given.add(token.name);
    }
    values = parsed.values;
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    throw usage(cause instanceof Error ? cause.message : 'unreadable options', cause);
  }
  if (values.help) return { kind: 'help' };
  if (values.version) return { kind: 'version' };
  if (values.bare && values['user-manifest'] !== undefined)
    throw usage('--bare leaves the user manifest out, so it goes with no --user-manifest');
  if (values.bare && values.project !== undefined)
    throw usage('--bare looks for no project, so it goes with no --project');
  if (values.manifest !== undefined && values.project !== undefined)
    throw usage('--manifest names the manifest, --project looks for one: give one of them');
  if (values.check && values['print-manifest'])
    throw usage('--check and --print-manifest are two things: give one of them');
  for (const flag of ['manifest', 'user-manifest', 'project', 'state'] as const)
    if (values[flag] === '') throw usage(`--${flag} takes a path, not an empty text`);
  const config: ConfigOptions = {
    manifest: manifestOption(values.manifest, values.project),
    userManifest: values['user-manifest'] ?? null,
    bare: values.bare,
    overlays: overlaysOf(values.overlay ?? [], values.name),
    state: values.state ?? null,
  };
  const serve: ServeOptions = {
    kind: 'serve',
    ...config,
    session: sessionOption(values.session),
    readyFd: descriptor(values['ready-fd']),
    logLevel: oneOf('--log-level', values['log-level'], LOG_LEVELS),
    logStderr: values['log-stderr'],
  };
  if (values['print-manifest']) return { kind: 'print_manifest', ...config };
  return values.check ? { kind: 'check', ...config } : serve;
}

function manifestOption(manifest: string | undefined, project: string | undefined): ManifestOption {
  if (manifest === undefined) return { kind: 'found', project: project ?? null };
  return manifest === '-' ? { kind: 'stdin' } : { kind: 'file', path: manifest };
}

const SESSION_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function sessionOption(text: string): SessionOption {
  if (SESSION_ID.test(text)) return { kind: 'id', id: text.toLowerCase() };
  const known = ['latest', 'new'] as const;
  const near = nearest(text, known);
  const kind = known.find((one) => one === text);
  if (kind !== undefined) return { kind };
  const hint = near === undefined ? '' : ` (did you mean ${near}?)`;
  throw usage(`--session takes latest, new or a session's id, not "${text}"${hint}`);
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
