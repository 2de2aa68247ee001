import type { Calibration, UsageRecord } from './entry.ts';
import type { ReadonlySizes } from './history-sizes.ts';

/** Where no request was ever answered, a token is taken for this many bytes. */
const BYTES_PER_TOKEN = 4;
/** Rates outside are a mistake of whoever counts: no tokenizer makes more tokens than bytes, or so few. */
const RATE_MIN = 1 / 64;
const RATE_MAX = 2;

export type Estimate = {
  readonly tokens: number;
  readonly source: 'measured' | 'interpolated' | 'extrapolated' | 'no_data';
};

/** All that an estimate rests on. Bytes are UTF-8. */
export type Measured = {
  readonly sizes: ReadonlySizes;
  readonly pruneMark: number;
  /** Oldest first, of any kind. */
  readonly records: readonly UsageRecord[];
  /** Of the session before, where this one has no records yet. */
  readonly calibration: Calibration | null;
  /** Of the system prompt, where nothing was sent yet that tells the whole of what is constant. */
  readonly promptBytes: number;
};

/** Tokens at a history index that was really sent with just these bytes. */
type Point = { readonly index: number; readonly bytes: number; readonly tokens: number };

/**
 * Tokens of the first `index` items with system prompt and tools before them, as a request would have them now (TOK-1): a
 * count of the server's own where there is one, else by bytes between two of them, or on from the last.
 */
export function estimateAt(measured: Measured, index: number): Estimate {
  return toEstimator(measured)(index);
}

/** The same for all of the history, and `moreBytes` behind it. Costs nothing that grows with the history. */
export function estimateAll(measured: Measured, moreBytes = 0): Estimate {
  const { sizes, pruneMark } = measured;
  const bytes = sizes.bytesAt(sizes.length, pruneMark) + moreBytes;
  const { tokensPerByte } = calibrate(measured);
  // Nearly always the newest is the one.
  for (const record of reversed(measured.records)) {
    const point = isUsable(record) ? toPoint(measured, record) : null;
    if (point !== null) return beyond(point, bytes, tokensPerByte);
  }
  return byCalibration(measured, bytes);
}

/** For many indexes of one history: the records are looked at once. */
export function toEstimator(measured: Measured): (index: number) => Estimate {
  const { sizes, pruneMark } = measured;
  const points = toPoints(measured);
  const { tokensPerByte, constantTokens } = calibrate(measured);
  const start: Point = { index: 0, bytes: 0, tokens: constantTokens };
  return (index) => {
    const bytes = sizes.bytesAt(index, pruneMark);
    const after = points.findIndex((point) => point.index >= index);
    const next = points[after];
    if (next?.index === index) return { tokens: next.tokens, source: 'measured' };
    const last = points.at(-1);
    if (last === undefined) return byCalibration(measured, bytes);
    if (next === undefined) return beyond(last, bytes, tokensPerByte);
    const before = points[after - 1] ?? start;
    const span = next.bytes - before.bytes;
    const share = span <= 0 ? 0 : (bytes - before.bytes) / span;
    // A constant part that is thought too large must not make the line fall.
    const from = Math.min(before.tokens, next.tokens);
    return { tokens: Math.round(from + share * (next.tokens - from)), source: 'interpolated' };
  };
}

/** What a token is worth here, and what system prompt and tools come to (TOK-3). */
export function calibrate({
  records,
  calibration,
  promptBytes,
}: Pick<Measured, 'records' | 'calibration' | 'promptBytes'>): Calibration {
  const newest = records.findLast(isUsable);
  if (newest === undefined)
    return (
      calibration ?? {
        tokensPerByte: 1 / BYTES_PER_TOKEN,
        constantTokens: promptBytes / BYTES_PER_TOKEN,
      }
    );
  const { constant, items, passing } = newest.sent ?? NOTHING_SENT;
  const rate = newest.inputTotal / Math.max(1, constant + items + passing);
  const tokensPerByte = Math.min(RATE_MAX, Math.max(RATE_MIN, rate));
  return { tokensPerByte, constantTokens: Math.round(constant * tokensPerByte) };
}

/** False: all there is to go by is that tokens have some four bytes. */
export function hasData({ records, calibration }: Measured): boolean {
  return calibration !== null || records.some(isUsable);
}

const NOTHING_SENT = { constant: 0, items: 0, passing: 0 };

/** Thrown-away attempts and the compactor's requests say nothing of this history, nor does a server that counts nothing. */
function isUsable({ kind, inputTotal, sent }: UsageRecord): boolean {
  return kind === 'run' && inputTotal > 0 && Number.isFinite(inputTotal) && sent !== undefined;
}

function* reversed<T>(all: readonly T[]): Generator<T> {
  for (let index = all.length - 1; index >= 0; index -= 1) {
    const one = all[index];
    if (one !== undefined) yield one;
  }
}

/** Ascending in index, bytes and tokens; what is older and doesn't fit the newer is left out. */
function toPoints(measured: Measured): Point[] {
  const points: Point[] = [];
  for (const record of reversed(measured.records)) {
    if (!isUsable(record)) continue;
    const point = toPoint(measured, record);
    if (point === null) continue;
    const next = points[0];
    if (next === undefined || (point.index < next.index && point.tokens <= next.tokens))
      points.unshift(point);
  }
  return points;
}

/** Null: what was sent then is not what would be sent now; content has been left out since. */
function toPoint({ sizes, pruneMark }: Measured, record: UsageRecord): Point | null {
  const { historyLen: index, inputTotal, sent = NOTHING_SENT } = record;
  if (index > sizes.length || sizes.bytesAt(index, pruneMark) !== sent.items) return null;
  const all = sent.constant + sent.items + sent.passing;
  // A note that went along once is no part of the history.
  const passing = all === 0 ? 0 : (inputTotal * sent.passing) / all;
  return { index, bytes: sent.items, tokens: Math.round(inputTotal - passing) };
}

/** Only what is new since the last count is reckoned. */
function beyond(last: Point, bytes: number, tokensPerByte: number): Estimate {
  if (bytes === last.bytes) return { tokens: last.tokens, source: 'measured' };
  const tokens = Math.ceil(last.tokens + (bytes - last.bytes) * tokensPerByte);
  return { tokens: Math.max(0, tokens), source: 'extrapolated' };
}

function byCalibration(measured: Measured, bytes: number): Estimate {
  const { tokensPerByte, constantTokens } = calibrate(measured);
  const tokens = Math.ceil(constantTokens + bytes * tokensPerByte);
  return { tokens, source: hasData(measured) ? 'extrapolated' : 'no_data' };
}
