import type { ScopeRule } from '../../protocol/scope.ts';
import { formatPath, knownKeys } from '../core/schema-problems.ts';
import { isWithin } from '../core/scope-rules.ts';
import { isTable, type Table } from './layers.ts';
import { LATER_KEYS, ManifestTable } from './schema.ts';

/**
 * What a project may say that came with a repository and that its user has not trusted. A key that is not here is
 * refused, so a new one is, until somebody thought about it.
 */
type Allowed = (value: unknown) => boolean;

const ANY: Allowed = () => true;

const isHarmlessRule: Allowed = (value) =>
  isTable(value) && (value['action'] === 'ask' || value['action'] === 'deny');
const isOwnPrompt: Allowed = (value) =>
  typeof value === 'string' && (value.startsWith('$podd/') || value.startsWith('$workspace/'));

const ALLOWED: ReadonlyMap<string, Allowed> = new Map([
  ['pod.name', ANY],
  ['worker.instruction', isOwnPrompt],
  ['worker.max_tokens', ANY],
  ['worker.temperature', ANY],
  ['worker.top_p', ANY],
  ['worker.stop', ANY],
  ['worker.max_turns', ANY],
  ['worker.notifications', ANY],
  ['worker.tool_output', ANY],
  // By where their links lead: `refuseOutside`.
  ['scope.allow', ANY],
  ['scope.deny', ANY],
  ['permissions.rules', (rules) => Array.isArray(rules) && rules.every(isHarmlessRule)],
  ...[
    'prune_protected_turns',
    'prune_protected_tokens',
    'prune_min_savings',
    'compact_threshold',
    'compact_request_threshold',
    'compact_retained_tokens',
    'compact_auto_read_budget',
    'compact_worker_max_input_tokens',
  ].map((key): [string, Allowed] => [`compaction.${key}`, (value) => typeof value === 'number']),
]);

/** The keys that an untrusted project may set, some of them to some values only. */
export const UNTRUSTED_KEYS: readonly string[] = [...ALLOWED.keys()];

/** Pure. What of one layer is refused, key by key, and how the user allows it. Unknown keys are told by the schema. */
export function refuseUntrusted(table: Table, root: string): readonly string[] {
  return Object.entries(table).flatMap(([section, body]) => {
    if (!isTable(body)) return LATER_KEYS.includes(section) ? [refusal([section], root)] : [];
    return Object.entries(body).flatMap(([key, value]) => {
      const allows = ALLOWED.get(`${section}.${key}`);
      if (allows?.(value) === true) return [];
      return allows !== undefined || isKnown(section, key) ? [refusal([section, key], root)] : [];
    });
  });
}

/** Pure. What canonical rules would open beyond the project, whose root is canonical, too. */
export function refuseOutside(rules: readonly ScopeRule[], root: string): readonly string[] {
  const hint = howToTrust(root);
  return rules.flatMap(({ target }) => {
    if (!isWithin(target, root))
      return [`scope.allow leads to ${target}, outside the project ${root}: ${hint}`];
    if (isWithin(target, `${root}/.podd`))
      return [`scope.allow leads to ${target}, into the project's own configuration: ${hint}`];
    return [];
  });
}

function refusal(path: readonly string[], root: string): string {
  return `${formatPath(path)} is not for a project to set that you have not trusted: ${howToTrust(root)}`;
}

function howToTrust(root: string): string {
  return `look at it, then podctl trust ${quoted(root)}, or name the file with --manifest`;
}

// For a shell, so that the line can be pasted.
function quoted(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}

function isKnown(section: string, key: string): boolean {
  return (
    LATER_KEYS.includes(`${section}.${key}`) ||
    LATER_KEYS.includes(`${section}.*`) ||
    knownKeys(ManifestTable, [section]).includes(key)
  );
}
