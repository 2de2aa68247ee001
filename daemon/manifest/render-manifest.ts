import { stringify } from 'smol-toml';
import type { ScopeRule, ScopeRules } from '../../protocol/scope.ts';
import type { Manifest } from './parse-manifest.ts';

/**
 * The manifest in force as TOML, all paths resolved, with the layer that said each value behind it. It has no secrets
 * to leave out: keys stand in files of their own.
 */
export function renderManifest(manifest: Manifest, scope: ScopeRules): string {
  const { pod, provider, maxTurns, toolOutput, instruction, origins } = manifest;
  const from = (key: string): string => origins.get(key) ?? DEFAULT;
  const line = (section: string, key: string, value: unknown): string[] =>
    value === null ? [] : [assign(key, value, from(`${section}.${key}`))];
  const perTool = [...toolOutput.perTool].flatMap(([tool, bytes]) =>
    line('worker.tool_output.per_tool', tool, bytes),
  );
  return [
    '[pod]',
    ...line('pod', 'name', pod.name),
    '',
    '[provider]',
    ...line('provider', 'kind', provider.kind),
    ...line('provider', 'script', provider.scriptPath),
    ...line('provider', 'context_window', provider.contextWindow),
    '',
    '[worker]',
    assign('instruction', instruction.reference, instruction.source ?? DEFAULT),
    ...(instruction.ofProject === null
      ? []
      : [
          comment(
            `the project adds ${instruction.ofProject.reference}`,
            instruction.ofProject.source,
          ).trim(),
        ]),
    ...line('worker', 'max_turns', maxTurns),
    '',
    '[worker.tool_output]',
    ...line('worker.tool_output', 'default_max_bytes', toolOutput.defaultBytesMax),
    ...(perTool.length === 0 ? [] : ['', '[worker.tool_output.per_tool]', ...perTool]),
    ...scope.allow.flatMap((rule, index) => table('allow', rule, from(`scope.allow[${index}]`))),
    ...scope.deny.flatMap((rule, index) => table('deny', rule, from(`scope.deny[${index}]`))),
    '',
  ].join('\n');
}

const DEFAULT = 'default';

function table(list: 'allow' | 'deny', rule: ScopeRule, source: string): string[] {
  return ['', `[[scope.${list}]]${comment(source)}`, stringify({ ...rule }).trimEnd()];
}

function assign(key: string, value: unknown, source: string): string {
  return `${stringify({ [key]: value }).trimEnd()}${comment(source)}`;
}

// A path may have a line break in it, and what stands behind it would be TOML.
function comment(...says: readonly string[]): string {
  return says.map((text) => ` # ${JSON.stringify(text).slice(1, -1)}`).join('');
}
