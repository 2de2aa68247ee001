import { join } from 'node:path';
import * as v from 'valibot';
import type { ScopeRules } from '../../protocol/scope.ts';
import { LIMITS } from '../core/limits.ts';
import { ok, refuse, type Result } from '../core/result.ts';
import { listProblems } from '../core/schema-problems.ts';
import { parseToml } from '../support/parse-toml.ts';
import { crossProblems, explainUnknown, formatProblem } from './rules.ts';
import { ManifestTable } from './schema.ts';

/** What a Pod is made from. Paths are absolute; scope targets still have their links (`resolveScope`). */
export type Manifest = {
  /** The file it came from. */
  readonly file: string;
  readonly pod: { readonly name: string };
  readonly provider: {
    readonly kind: 'scripted';
    readonly scriptPath: string;
    /** Tokens; null where the manifest names none. */
    readonly contextWindow: number | null;
  };
  /** Null: unlimited. */
  readonly maxTurns: number | null;
  readonly toolOutput: {
    readonly defaultBytesMax: number;
    readonly perTool: ReadonlyMap<string, number>;
  };
  readonly scope: ScopeRules;
};

export type ManifestPlace = {
  /** As it is told in messages. */
  readonly file: string;
  /** Absolute: what relative paths are relative to. */
  readonly folder: string;
  readonly home: string;
};

/** Pure. Every problem is listed: `line:column` or the key, and what was expected. */
export function parseManifest(
  text: string,
  place: ManifestPlace,
): Result<Manifest, readonly string[]> {
  const toml = parseToml(text);
  if (!toml.ok) return refuse([`${toml.error.line}:${toml.error.column} ${toml.error.says}`]);
  const parsed = v.safeParse(ManifestTable, toml.value);
  const fromSchema = parsed.success ? [] : listProblems(ManifestTable, parsed.issues, 'toml');
  const problems = [
    ...fromSchema.flatMap((problem) =>
      problem.kind === 'unknown' ? explainUnknown(problem, toml.value) : [problem],
    ),
    ...crossProblems(toml.value),
  ].map(formatProblem);
  if (!parsed.success || problems.length > 0) return refuse(problems);
  return toManifest(parsed.output, place);
}

function toManifest(table: ManifestTable, place: ManifestPlace): Result<Manifest, string[]> {
  const problems: string[] = [];
  const toAbsolute = (path: string, key: string): string => {
    if (path === '~' || path.startsWith('~/')) return join(place.home, path.slice(1));
    if (path.startsWith('~'))
      problems.push(`${key} expected a path, got "${path}": only ~/ stands for a home folder`);
    // Not normalised: `..` behind a link is for the kernel to judge.
    return path.startsWith('/') ? path : `${place.folder}/${path}`;
  };
  const toRules = (rules: ManifestTable['scope']['allow'], key: string): ScopeRules['allow'] =>
    rules.map((rule, index) => ({
      ...rule,
      target: toAbsolute(rule.target, `scope.${key}[${index}].target`),
    }));
  const { provider, worker, scope } = table;
  const manifest: Manifest = {
    file: place.file,
    pod: table.pod,
    provider: {
      kind: 'scripted',
      scriptPath: toAbsolute(provider.script ?? '', 'provider.script'),
      contextWindow: provider.context_window ?? null,
    },
    maxTurns: worker?.max_turns ?? null,
    toolOutput: {
      defaultBytesMax: worker?.tool_output?.default_max_bytes ?? LIMITS.resultContentBytes,
      perTool: new Map(Object.entries(worker?.tool_output?.per_tool ?? {})),
    },
    scope: { allow: toRules(scope.allow, 'allow'), deny: toRules(scope.deny, 'deny') },
  };
  return problems.length === 0 ? ok(manifest) : refuse(problems);
}
