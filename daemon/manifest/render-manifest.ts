import { stringify } from 'smol-toml';
import { formatPath } from '../core/schema-problems.ts';
import { showControls } from '../core/show-controls.ts';
import type { ScopeRule, ScopeRules } from '../../protocol/scope.ts';
import type { Manifest } from './parse-manifest.ts';

/**
 * The manifest in force as TOML, all paths resolved, with the layer that said each value behind it. It has no secrets
 * to leave out: keys stand in files of their own.
 */
export function renderManifest(manifest: Manifest, scope: ScopeRules): string {
  const { pod, provider, maxRetries, maxTokens, maxTurns, toolOutput, instruction, origins } =
    manifest;
  const { temperature, topP, stop } = manifest.sampling;
  const from = (...key: string[]): string => origins.get(formatPath(key)) ?? DEFAULT;
  const line = (section: string, key: string, value: unknown): string[] =>
    value === null ? [] : [assign(key, value, from(...section.split('.'), key))];
  const perTool = [...toolOutput.perTool].flatMap(([tool, bytes]) =>
    line('worker.tool_output.per_tool', tool, bytes),
  );
  return [
    '[pod]',
    ...line('pod', 'name', pod.name),
    '',
    '[provider]',
    ...line('provider', 'kind', provider.kind),
    ...(provider.kind === 'scripted'
      ? line('provider', 'script', provider.scriptPath)
      : [
          ...line('provider', 'model', provider.model),
          ...line('provider', 'api_key_file', provider.apiKeyFile),
          ...line('provider', 'base_url', provider.baseUrl),
          ...line('provider', 'connect_timeout_ms', provider.connectMs),
          ...line('provider', 'first_event_timeout_ms', provider.firstEventMs),
          ...line('provider', 'idle_timeout_ms', provider.idleMs),
          ...line('provider', 'thinking_budget', provider.thinkingBudget),
          ...line('provider', 'reasoning_effort', provider.reasoningEffort),
        ]),
    ...line('provider', 'max_retries', maxRetries),
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
    ...line('worker', 'max_tokens', maxTokens),
    ...line('worker', 'max_turns', maxTurns),
    ...line('worker', 'temperature', temperature),
    ...line('worker', 'top_p', topP),
    ...line('worker', 'notifications', manifest.notifications),
    ...line('worker', 'stop', stop.length === 0 ? null : stop),
    '',
    '[worker.tool_output]',
    ...line('worker.tool_output', 'default_max_bytes', toolOutput.defaultBytesMax),
    ...(perTool.length === 0 ? [] : ['', '[worker.tool_output.per_tool]', ...perTool]),
    ...scope.allow.flatMap((rule, index) =>
      table('allow', rule, origins.get(`scope.allow[${index}]`) ?? DEFAULT),
    ),
    ...scope.deny.flatMap((rule, index) =>
      table('deny', rule, origins.get(`scope.deny[${index}]`) ?? DEFAULT),
    ),
    '',
  ].join('\n');
}

const DEFAULT = 'default';

function table(list: 'allow' | 'deny', rule: ScopeRule, source: string): string[] {
  return ['', `[[scope.${list}]]${comment(source)}`, toml({ ...rule })];
}

function assign(key: string, value: unknown, source: string): string {
  return `${toml({ [key]: value })}${comment(source)}`;
}

/** The library writes texts in double quotes, and leaves in them the one control character that JSON allows. */
function toml(table: Readonly<Record<string, unknown>>): string {
  return stringify(table).trimEnd().replaceAll('\u007f', String.raw`\u007F`);
}

// A path may have a line break in it, and what stands behind it would be TOML.
function comment(...says: readonly string[]): string {
  return says.map((text) => ` # ${showControls(text)}`).join('');
}
