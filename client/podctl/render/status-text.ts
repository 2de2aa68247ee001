import type { ScopeRule } from '../../../protocol/scope.ts';
import type { Status } from '../../../protocol/status.ts';
import { showName, type Style } from './style.ts';

/** `podctl status` for people; `--json` has all of it. */
export function renderStatus(status: Status, style: Style): string {
  const rows: [string, string][] = [
    ['state', describeState(status)],
    ...waitingRow(status.waiting),
    ['last run', status.lastOutcome ?? 'none yet'],
    ['model', `${status.provider.kind} ${status.provider.model}`.trim()],
    ['session', `${status.sessionId} (${status.items} items, ${status.turnCount} turns)`],
    ['occupancy', describeOccupancy(status.occupancy)],
    ['tokens', `${status.usage.inputTotal} in, ${status.usage.output} out`],
    ['cwd', status.cwd],
    ...status.scope.effective.allow.map(scopeRow('may')),
    ...status.scope.effective.deny.map(scopeRow('may not')),
    ['clients', String(status.connections)],
    ['up', describeDuration(status.uptimeMs)],
    ['memory', `${Math.round(status.rssBytes / 1024 / 1024)} MiB`],
  ];
  const head = `${style.bold(showName(status.pod))}  pid ${status.pid}, epoch ${status.epoch}, podd ${showName(status.version)}`;
  const lines = rows.map(
    ([name, value]) => `  ${style.dim(name.padEnd(10))} ${style.clean(value)}`,
  );
  return `${[head, ...lines].join('\n')}\n`;
}

function describeState({ state, phase, run, interrupted }: Status): string {
  const parts = [phase === undefined ? state : `${state}, ${phase}`];
  if (run !== undefined) parts.push(`turn ${run.turn} of run ${run.id}`);
  else if (interrupted) parts.push('the last run can be resumed');
  return parts.join('; ');
}

/** Only where something waits. */
function waitingRow({ inputs, notes }: Status['waiting']): [string, string][] {
  const parts = [
    ...(inputs === 0 ? [] : [`${inputs} ${inputs === 1 ? 'input' : 'inputs'}`]),
    ...(notes === 0 ? [] : [`${notes} ${notes === 1 ? 'note' : 'notes'}`]),
  ];
  return parts.length === 0 ? [] : [['waiting', parts.join(', ')]];
}

function describeOccupancy({ tokens, source, limit }: Status['occupancy']): string {
  const of = limit === undefined ? '' : ` of ${limit}`;
  return `${tokens}${of} tokens (${source.replaceAll('_', ' ')})`;
}

function scopeRow(word: string): (rule: ScopeRule) => [string, string] {
  return ({ permission, target, recursive }) => [
    word,
    `${permission} ${target}${recursive ? '' : ' (with its direct children only)'}`,
  ];
}

const UNITS = [
  { seconds: 86_400, letter: 'd' },
  { seconds: 3_600, letter: 'h' },
  { seconds: 60, letter: 'm' },
  { seconds: 1, letter: 's' },
];

/** The two largest units: `3 h 5 m`. */
export function describeDuration(ms: number): string {
  let rest = Math.floor(ms / 1000);
  const parts: string[] = [];
  for (const { seconds, letter } of UNITS) {
    const count = Math.floor(rest / seconds);
    rest -= count * seconds;
    if (count > 0 || (letter === 's' && parts.length === 0)) parts.push(`${count} ${letter}`);
  }
  return parts.slice(0, 2).join(' ');
}
