import type { SessionEntry, TimedUsage } from '../../daemon/core/entry.ts';
import { measuredOf, occupancyOf } from '../../daemon/core/occupancy.ts';
import { SessionProjection } from '../../daemon/core/session-state.ts';
import { type Estimate, toEstimator } from '../../daemon/core/tokens.ts';
import { openLevelStore } from '../../daemon/session/level-store.ts';
import { listSessions, sessionEntries } from '../../daemon/session/restore.ts';
import { median } from './median.ts';

/** How far an estimate was from what the server then counted, as a part of that. */
type Estimated = { readonly source: Estimate['source']; readonly error: number };

/** A store's requests of runs, as podd knew them. */
export type Replayed = {
  readonly estimated: readonly Estimated[];
  readonly records: readonly TimedUsage[];
};

/** Each session of a stopped Pod once more, entry by entry, and before each answer what podd made of the request. */
export async function replaySessions(folder: string, signal: AbortSignal): Promise<Replayed> {
  await using store = await openLevelStore(folder, 'refuse');
  const all: Replayed[] = [];
  for (const id of await listSessions(store)) {
    const session = new SessionProjection(id);
    const entries: SessionEntry[] = [];
    for await (const entry of sessionEntries(store, id, { isReversed: false }, signal))
      entries.push(entry);
    const estimated = replay(session, entries);
    const records = session.usageRecords.filter(({ kind }) => kind === 'run');
    all.push({ estimated, records });
  }
  return {
    estimated: all.flatMap((one) => one.estimated),
    records: all.flatMap((one) => one.records),
  };
}

function replay(session: SessionProjection, entries: readonly SessionEntry[]): Estimated[] {
  const estimated: Estimated[] = [];
  let before: Estimate | null = null;
  for (const entry of entries) {
    // The batch of an answer begins with it, and its request had all that was stored by then.
    if (entry.kind === 'assistant_items') before = occupancyOf(session);
    if (entry.kind === 'llm_usage' && entry.record.kind === 'run' && before !== null)
      estimated.push(toEstimated(before, entry.record.inputTotal));
    session.apply(entry);
    if (entry.kind === 'llm_usage') estimated.push(...interpolated(session));
  }
  return estimated;
}

/** What would be thought of the request before the newest if its own record were not there: by those around it. */
function interpolated(session: SessionProjection): Estimated[] {
  const measured = measuredOf(session);
  const records = measured.records.filter(({ kind }) => kind === 'run');
  const hidden = records.at(-2);
  if (hidden === undefined) return [];
  const { sizes, pruneMark } = measured;
  const { historyLen, sent, inputTotal } = hidden;
  // What was left out since is not what would be sent now.
  if (sent?.items !== sizes.bytesAt(historyLen, pruneMark)) return [];
  const others = records.filter((record) => record !== hidden);
  const estimate = toEstimator({ ...measured, records: others })(historyLen);
  return estimate.source === 'interpolated' ? [toEstimated(estimate, inputTotal)] : [];
}

function toEstimated({ source, tokens }: Estimate, counted: number): Estimated {
  return { source, error: Math.abs(tokens - counted) / counted };
}

/**
 * Tokens as pieces of words, of digits, and single signs: so prose, code and numbers differ in bytes a token, as they do for a
 * real tokenizer. With a quarter of the bytes everywhere, whoever reckons by bytes could hardly be wrong.
 */
export function byPieces(text: string): number {
  return text.match(/[A-Za-z]{1,6}|\d{1,3}|[^\sA-Za-z\d]/g)?.length ?? 0;
}

export const SOURCES = ['measured', 'interpolated', 'extrapolated', 'no_data'] as const;

/** In percent. */
export type ErrorsOf = {
  readonly count: number;
  readonly median: number;
  readonly p95: number;
  readonly worst: number;
};

/** Null: there was none of that source. */
export function errorsOf(
  source: Estimate['source'],
  estimated: readonly Estimated[],
): ErrorsOf | null {
  const errors = estimated
    .flatMap((one) => (one.source === source ? [one.error * 100] : []))
    .sort((a, b) => a - b);
  const worst = errors.at(-1);
  if (worst === undefined) return null;
  const p95 = errors[Math.ceil(errors.length * 0.95) - 1] ?? worst;
  return { count: errors.length, median: median(errors), p95, worst };
}
