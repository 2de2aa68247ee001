import { join } from 'node:path';
import * as v from 'valibot';
import type { ScopeRules } from '../../protocol/scope.ts';
import { LIMITS } from '../core/limits.ts';
import { ok, refuse, type Result } from '../core/result.ts';
import { formatPath, listProblems, type SchemaProblem } from '../core/schema-problems.ts';
import { parseToml } from '../support/parse-toml.ts';
import { type Compaction, compactionWarnings, toCompaction } from './compaction.ts';
import { isTable, type Layer, mergeLayers, type Table } from './layers.ts';
import type { ManifestProblem } from './manifest-fault.ts';
import { type Provider, toProvider } from './provider.ts';
import { refuseUntrusted } from './trust.ts';
import { crossProblems, explainUnknown, formatProblem, withTableProblems } from './rules.ts';
import { LayerTable, ManifestTable } from './schema.ts';

/** What a Pod is made from. Paths are absolute; scope targets still have their links (`resolveScope`). */
export type Manifest = {
  /** The file it came from. */
  readonly file: string;
  readonly pod: { readonly name: string };
  readonly provider: Provider;
  /** Of one answer, in tokens; null: the model's own. */
  readonly maxTokens: number | null;
  /** Null where the manifest says nothing: the model's own. */
  readonly sampling: {
    readonly temperature: number | null;
    readonly topP: number | null;
    readonly stop: readonly string[];
  };
  /** Null: unlimited. */
  readonly maxTurns: number | null;
  readonly notifications: 'history' | 'transient';
  readonly toolOutput: {
    readonly defaultBytesMax: number;
    readonly perTool: ReadonlyMap<string, number>;
  };
  readonly scope: ScopeRules;
  readonly instruction: Instruction;
  readonly compaction: Compaction;
  /** What is allowed and hardly meant, in one sentence each. */
  readonly warnings: readonly string[];
  /** Which layer said each value, by its key; what none did is a default. */
  readonly origins: ReadonlyMap<string, string>;
};

/** Which prompts the system prompt is made of. */
export type Instruction = {
  readonly reference: string;
  /** The layer that said it, null for the default. */
  readonly source: string | null;
  /** What a project asks for that the user has not trusted: told to the model as the project's, beside the other. */
  readonly ofProject: { readonly reference: string; readonly source: string } | null;
};

export const DEFAULT_INSTRUCTION = '$podd/default';

/** A layer as it was written. */
export type LayerText = {
  /** As it is told in messages: a file's path, or the flag. */
  readonly source: string;
  readonly text: string;
  /** Absolute: what relative paths are relative to. */
  readonly folder: string;
  /** Not null for a project that the user has not trusted: the root that it may not leave. */
  readonly untrusted: string | null;
};

/**
 * Pure. The layers are given lowest first; `file` is the one that the Pod is named by, and what is missing from all
 * of them is told of it. Every problem is listed.
 */
export function parseManifest(
  layers: readonly LayerText[],
  { file, home }: { readonly file: string; readonly home: string },
): Result<Manifest, readonly ManifestProblem[]> {
  const problems: ManifestProblem[] = [];
  const read: Layer[] = [];
  for (const layer of layers) {
    const { table, says } = parseLayer(layer, home);
    problems.push(...says.map((one) => ({ source: layer.source, says: one })));
    if (table !== null) read.push({ source: layer.source, table });
  }
  // What is missing is known only when all could be read.
  if (read.length < layers.length) return refuse(problems);
  const { table, origins } = mergeLayers(read);
  const parsed = v.safeParse(ManifestTable, table, ONE_EACH);
  const issues = parsed.success ? [] : listProblems(ManifestTable, parsed.issues, 'toml');
  const fromSchema = withTableProblems(issues, table);
  // Anything else that is wrong in a layer, inside its lists too, is told already, of that layer.
  const isNews = ({ kind, path }: SchemaProblem): boolean =>
    problems.length === 0 || (kind === 'missing' && !path.some((key) => typeof key === 'number'));
  const isUntrusted = layers.some(({ untrusted }) => untrusted !== null);
  const said = problems.map(({ says }) => says);
  const whole = [...fromSchema.filter(isNews), ...crossProblems(table)].filter(
    (problem) => !isToldOf(said, formatProblem(problem)),
  );
  const all = [
    ...problems,
    ...whole.map((problem) => ({
      source: origins.get(formatPath(problem.path)) ?? file,
      says: `${formatProblem(problem)}${isUntrusted && problem.kind === 'missing' && problem.path[0] === 'provider' ? USERS_OWN : ''}`,
    })),
  ];
  if (!parsed.success || all.length > 0) return refuse(all);
  const instruction = planInstruction(layers, read);
  return ok({ ...toManifest(parsed.output, file), instruction, origins });
}

/** An untrusted project's own prompt takes nobody's place: what the layers below it say stays in force beside it. */
function planInstruction(layers: readonly LayerText[], read: readonly Layer[]): Instruction {
  const wanted = ({ table }: Layer): string | null => {
    const { worker } = table;
    const reference = isTable(worker) ? worker['instruction'] : undefined;
    return typeof reference === 'string' ? reference : null;
  };
  let plan: Instruction = {
    reference: DEFAULT_INSTRUCTION,
    source: null,
    ofProject: null,
  };
  for (const [index, layer] of read.entries()) {
    const reference = wanted(layer);
    if (reference === null) continue;
    const isOfProject = layers[index]?.untrusted !== null && !reference.startsWith('$podd/');
    plan = isOfProject
      ? { ...plan, ofProject: { reference, source: layer.source } }
      : { reference, source: layer.source, ofProject: null };
  }
  return plan;
}

/** Where what a project may not say belongs. */
const USERS_OWN = ': it belongs into your own manifest (podctl init --user makes one)';

/** Of one value, one problem: what has the wrong type has no range. */
const ONE_EACH = { abortPipeEarly: true } as const;

type ParsedLayer = { readonly table: Table | null; readonly says: readonly string[] };

/** The table of one layer, its paths absolute, null if it is no TOML; and all that is wrong in it. */
function parseLayer({ text, folder, untrusted }: LayerText, home: string): ParsedLayer {
  const toml = parseToml(text);
  if (!toml.ok) {
    const { line, column, says } = toml.error;
    return { table: null, says: [`${line}:${column} ${says}`] };
  }
  const parsed = v.safeParse(LayerTable, toml.value, ONE_EACH);
  const fromSchema = parsed.success ? [] : listProblems(LayerTable, parsed.issues, 'toml');
  const problems = withTableProblems(fromSchema, toml.value)
    .flatMap((problem) =>
      problem.kind === 'unknown' ? explainUnknown(problem, toml.value) : [problem],
    )
    .map(formatProblem);
  // What is refused for good is not told of as something to come.
  const refused = untrusted === null ? [] : refuseUntrusted(toml.value, untrusted);
  const table = withPaths(toml.value, (path, key) => {
    if (path === '~' || path.startsWith('~/')) return join(home, path.slice(1));
    if (path.startsWith('~'))
      problems.push(`${key} expected a path, got "${path}": only ~/ stands for a home folder`);
    // Not normalised: `..` behind a link is for the kernel to judge.
    return path.startsWith('/') ? path : `${folder}/${path}`;
  });
  return { table, says: [...refused, ...problems.filter((says) => !isToldOf(refused, says))] };
}

/** Of the same key, or of the table that it is in. A problem's first word is its path. */
function isToldOf(said: readonly string[], says: string): boolean {
  const key = says.split(' ', 1)[0] ?? '';
  return said.some((one) => {
    const told = one.split(' ', 1)[0] ?? '';
    return key === told || key.startsWith(`${told}.`);
  });
}

type ToPath = (path: string, key: string) => string;

/** The same table with every path in it replaced. What is no text at a path's place stays as it is. */
function withPaths(table: Table, toPath: ToPath): Table {
  const replaced = (value: unknown, key: string): unknown =>
    typeof value === 'string' ? toPath(value, key) : value;
  const { provider, scope, compaction } = table;
  const rules = (list: unknown, key: string): unknown =>
    !Array.isArray(list)
      ? list
      : list.map((rule: unknown, index) =>
          isTable(rule) && 'target' in rule
            ? { ...rule, target: replaced(rule['target'], `${key}[${index}].target`) }
            : rule,
        );
  return {
    ...table,
    ...(isTable(provider) ? { provider: withFiles('provider', provider, replaced) } : {}),
    ...(isTable(compaction) && isTable(compaction['provider'])
      ? {
          compaction: {
            ...compaction,
            provider: withFiles('compaction.provider', compaction['provider'], replaced),
          },
        }
      : {}),
    ...(isTable(scope)
      ? {
          scope: Object.fromEntries(
            Object.entries(scope).map(([key, list]) => [key, rules(list, `scope.${key}`)]),
          ),
        }
      : {}),
  };
}

function withFiles(
  name: string,
  provider: Table,
  replaced: (value: unknown, key: string) => unknown,
): Table {
  const files = ['script', 'api_key_file'].filter((key) => key in provider);
  const made = files.map((key) => [key, replaced(provider[key], `${name}.${key}`)] as const);
  return { ...provider, ...Object.fromEntries(made) };
}

function toManifest(
  { pod, provider, worker, scope, compaction: section }: ManifestTable,
  file: string,
): Omit<Manifest, 'origins' | 'instruction'> {
  const compaction = toCompaction(section);
  return {
    file,
    pod,
    provider: toProvider(provider),
    maxTokens: worker?.max_tokens ?? null,
    sampling: {
      temperature: worker?.temperature ?? null,
      topP: worker?.top_p ?? null,
      stop: worker?.stop ?? [],
    },
    maxTurns: worker?.max_turns ?? null,
    notifications: worker?.notifications ?? 'history',
    toolOutput: {
      defaultBytesMax: worker?.tool_output?.default_max_bytes ?? LIMITS.resultContentBytes,
      perTool: capsOf(worker?.tool_output?.per_tool ?? {}),
    },
    scope,
    compaction,
    warnings: compactionWarnings(compaction),
  };
}

function capsOf(caps: Readonly<Record<string, number | undefined>>): Map<string, number> {
  return new Map(
    Object.entries(caps).flatMap(([tool, cap]) => (cap === undefined ? [] : [[tool, cap]])),
  );
}
