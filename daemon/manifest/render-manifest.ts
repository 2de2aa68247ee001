import { stringify } from 'smol-toml';
import { formatPath } from '../core/schema-problems.ts';
import { showControls } from '../core/show-controls.ts';
import type { ScopeRule, ScopeRules } from '../../protocol/scope.ts';
import type { Compaction } from './compaction.ts';
import type { Manifest } from './parse-manifest.ts';
import type { Provider } from './provider.ts';

/**
 * The manifest in force as TOML, all paths resolved, with the layer that said each value behind it. It has no secrets
 * to leave out: keys stand in files of their own.
 */
export function renderManifest(manifest: Manifest, scope: ScopeRules): string {
  const { pod, provider, maxTokens, maxTurns, toolOutput, instruction, origins } = manifest;
  const { temperature, topP, stop } = manifest.sampling;
  const from = (...key: string[]): string => origins.get(formatPath(key)) ?? DEFAULT;
  const line: Line = (section, key, value) =>
    value === null ? [] : [assign(key, value, from(...section.split('.'), key))];
  const perTool = [...toolOutput.perTool].flatMap(([tool, bytes]) =>
    line('worker.tool_output.per_tool', tool, bytes),
  );
  return [
    '[pod]',
    ...line('pod', 'name', pod.name),
    '',
    ...providerLines('provider', provider, line),
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
    ...compactionLines(manifest.compaction, line),
    ...scope.allow.flatMap((rule, index) =>
      table('allow', rule, origins.get(`scope.allow[${index}]`) ?? DEFAULT),
    ),
    ...scope.deny.flatMap((rule, index) =>
      table('deny', rule, origins.get(`scope.deny[${index}]`) ?? DEFAULT),
    ),
    '',
  ].join('\n');
}

/** A value with its layer behind it; nothing for null. */
type Line = (section: string, key: string, value: unknown) => string[];

function providerLines(section: string, provider: Provider, line: Line): string[] {
  const of = (key: string, value: unknown): string[] => line(section, key, value);
  return [
    `[${section}]`,
    ...of('kind', provider.kind),
    ...(provider.kind === 'scripted'
      ? of('script', provider.scriptPath)
      : [
          ...of('model', provider.model),
          ...of('api_key_file', provider.apiKeyFile),
          ...of('base_url', provider.baseUrl),
          ...of('connect_timeout_ms', provider.connectMs),
          ...of('first_event_timeout_ms', provider.firstEventMs),
          ...of('idle_timeout_ms', provider.idleMs),
          ...of('thinking_budget', provider.thinkingBudget),
          ...of('reasoning_effort', provider.reasoningEffort),
        ]),
    ...of('max_retries', provider.maxRetries),
    ...of('context_window', provider.contextWindow),
  ];
}

/** Nothing where no layer has the section, since it means something by being there. */
function compactionLines(compaction: Compaction, line: Line): string[] {
  const { prune, provider } = compaction;
  if (prune === null) return [];
  const of = (key: string, value: unknown): string[] => line('compaction', key, value);
  return [
    '',
    '[compaction]',
    ...of('prune_protected_turns', prune.protectedTurns),
    ...of('prune_protected_tokens', prune.protectedTokens),
    ...of('prune_min_savings', prune.minSavings),
    ...of('compact_threshold', compaction.threshold),
    ...of('compact_request_threshold', compaction.requestThreshold),
    ...of('compact_retained_tokens', compaction.retainedTokens),
    ...of('compact_auto_read_budget', compaction.autoReadBudget),
    ...of('compact_worker_max_input_tokens', compaction.workerMaxInputTokens),
    ...of('on_refusal', compaction.onRefusal),
    ...of('strategy', compaction.strategy),
    ...(provider === null ? [] : ['', ...providerLines('compaction.provider', provider, line)]),
  ];
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
