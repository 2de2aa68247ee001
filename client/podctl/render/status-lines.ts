import type { ScopeRule } from '../../../protocol/scope.ts';
import type { Status } from '../../../protocol/status.ts';
import type { Style } from './style.ts';

const LABEL_WIDTH = 10;

/** A Pod's status for people: one fact a line, the same order each time. */
export function renderStatus(status: Status, style: Style): string {
  const facts: [string, string][] = [
    ['state', describeState(status)],
    ['process', `pid ${status.pid}, podd ${status.version}, up ${describeAge(status.uptimeMs)}`],
    ['last run', status.lastOutcome ?? 'none yet'],
    ['session', `${status.sessionId}, ${describeSession(status)}`],
    ['model', `${status.provider.kind} ${status.provider.model}`],
    ['tokens', describeTokens(status)],
    ['cwd', status.cwd],
    ...describeScope(status),
    ['memory', `${mebibytes(status.rssBytes)}, ${plural(status.connections, 'connection')}`],
  ];
  const lines = facts.map(
    ([label, value]) => `${style.dim(label.padEnd(LABEL_WIDTH))} ${style.foreign(value)}`,
  );
  return [style.bold(style.foreign(status.pod)), ...lines, ''].join('\n');
}

function describeState({ state, phase, run, interrupted, committingSince }: Status): string {
  const parts = [phase === undefined ? state : `${state}, ${phase}`];
  if (run !== undefined) parts.push(`run ${run.id}, turn ${run.turn}`);
  if (interrupted) parts.push('a crash cut the last run off: Resume goes on with it');
  if (committingSince !== null) parts.push('writing to disk');
  return parts.join('; ');
}

function describeSession({ items, turnCount, headHash }: Status): string {
  const head = headHash === null ? 'no run yet' : `head ${headHash.slice(0, 12)}`;
  return `${plural(items, 'item')}, ${plural(turnCount, 'turn')}, ${head}`;
}

function describeTokens({ occupancy, usage }: Status): string {
  const { tokens, limit, source } = occupancy;
  const window = limit === undefined ? '' : ` of ${limit}`;
  const filled = source === 'no_data' ? 'window not measured yet' : `window ${tokens}${window}`;
  return `${filled}; used ${usage.inputTotal} in (${usage.cacheRead} cached), ${usage.output} out`;
}

function describeScope({ scope }: Status): [string, string][] {
  const describe = (rule: ScopeRule): string =>
    `${rule.target}${rule.recursive ? '' : ' (not below its children)'}`;
  return [
    ...scope.effective.allow.map((rule): [string, string] => [rule.permission, describe(rule)]),
    ...scope.effective.deny.map((rule): [string, string] => [
      `no ${rule.permission}`,
      describe(rule),
    ]),
  ];
}

function describeAge(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  return seconds < 172_800
    ? `${Math.floor(seconds / 3600)} h`
    : `${Math.floor(seconds / 86_400)} d`;
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 1_048_576)} MiB`;
}

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
