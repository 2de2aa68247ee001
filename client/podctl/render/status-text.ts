import type { ScopeRule } from '../../../protocol/scope.ts';
import type { Status } from '../../../protocol/status.ts';
import { showCount, showDollars, showPart, showTime } from './numbers.ts';
import { oneLine, showName, type Style } from './style.ts';

const FAILURE_UNITS = 200;
const REASON_UNITS = 120;

type Row = readonly [name: string, value: string, paint?: (text: string) => string];

/** `podctl status` for people; `--json` has all of it. */
export function renderStatus(status: Status, style: Style): string {
  const rows: Row[] = [
    ['state', describeState(status)],
    ...waitingRow(status.waiting),
    ['last run', status.lastOutcome ?? 'none yet'],
    ['model', `${status.provider.kind} ${status.provider.model}`.trim()],
    ['session', `${status.sessionId} (${status.items} items, ${status.turnCount} turns)`],
    ['occupancy', describeOccupancy(status.occupancy)],
    ...compactionRow(status.compaction, style),
    ['tokens', `${showCount(status.usage.inputTotal)} in, ${showCount(status.usage.output)} out`],
    ...cacheRow(status.cache),
    ...(status.costUsd === undefined ? [] : [['cost', showDollars(status.costUsd)] as const]),
    ['cwd', status.cwd],
    ...status.scope.effective.allow.map(scopeRow('may')),
    ...status.scope.effective.deny.map(scopeRow('may not')),
    ['clients', String(status.connections)],
    ['up', describeDuration(status.uptimeMs)],
    ['memory', `${Math.round(status.rssBytes / 1024 / 1024)} MiB`],
  ];
  const head = `${style.bold(showName(status.pod))}  pid ${status.pid}, epoch ${status.epoch}, podd ${showName(status.version)}`;
  const lines = rows.map(
    ([name, value, paint = (text: string) => text]) =>
      `  ${style.dim(name.padEnd(10))} ${paint(style.clean(value))}`,
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
  const from = source.replaceAll('_', ' ');
  if (limit === undefined) return `${showCount(tokens)} tokens (${from})`;
  return `${showCount(tokens)} / ${showCount(limit)} tokens (${showPart(tokens, limit)}, ${from})`;
}

/** Only where there was one, or a try. */
function compactionRow(
  { disabled, failures, lastAt, lastFailure }: Status['compaction'],
  { red }: Style,
): Row[] {
  const times = `${failures} ${failures === 1 ? 'failure' : 'failures'}`;
  const parts = [
    ...(disabled
      ? [`off after ${times} (podctl compact turns it on when it succeeds)`]
      : failures > 0
        ? [`${times} in a row`]
        : []),
    ...(lastAt === null ? [] : [`last one ${showTime(lastAt)} UTC`]),
    ...(lastFailure === undefined ? [] : [`last failure: ${oneLine(lastFailure, FAILURE_UNITS)}`]),
  ];
  if (parts.length === 0) return [];
  const says = parts.join('; ');
  return [disabled ? ['compaction', says, red] : ['compaction', says]];
}

function cacheRow(cache: Status['cache']): Row[] {
  if (cache === undefined) return [];
  const why = cache.reason === undefined ? '' : ` (${oneLine(cache.reason, REASON_UNITS)})`;
  return [['cache', `the last request found ${showCount(cache.hit)} tokens${why}`]];
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
