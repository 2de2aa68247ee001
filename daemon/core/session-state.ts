import type { Item } from '../../protocol/items.ts';
import { assertNever, invariant } from './assert.ts';
import type {
  Calibration,
  CallIntent,
  CarriedOver,
  LastRun,
  SentBytes,
  TimedUsage,
  SessionConfig,
  SessionEntry,
  Totals,
  UsageRecord,
} from './entry.ts';
import { FileTracker } from './file-tracker.ts';
import { HistorySizes, type ReadonlySizes } from './history-sizes.ts';
import type { RunId, SessionId } from './ids.ts';
import { LIMITS } from './limits.ts';
import { addUsage, NO_USAGE } from './usage.ts';

/** A session as its entries tell it. Readers see this; only its projection changes it. */
export type SessionState = {
  readonly sessionId: SessionId;
  /** False until the first run appends `session_start`. */
  readonly begun: boolean;
  readonly systemPrompt: string;
  readonly config: SessionConfig | null;
  readonly items: readonly Item[];
  /** Bytes of `items`, as a model reads them. */
  readonly sizes: ReadonlySizes;
  /** Content of results before this index is left out of requests. */
  readonly pruneMark: number;
  readonly turnCount: number;
  /** The newest, oldest first. */
  readonly usageRecords: readonly TimedUsage[];
  readonly calibration: Calibration | null;
  /** Of this session and those that it was compacted from. */
  readonly totals: Totals;
  readonly compactedFrom: SessionId | null;
  /** What the user asked for first, in this line of sessions. */
  readonly firstRequest: string | null;
  readonly openRun: RunId | null;
  readonly lastRun: LastRun | null;
  /** Calls without a result, in the order of the calls, with what was stored of their intent. */
  readonly openCalls: ReadonlyMap<
    string,
    { readonly name: string; readonly intent: CallIntent | null }
  >;
  readonly tracker: Pick<FileTracker, 'hashOf' | 'files' | 'recent'>;
};

/**
 * The run that came last, for whoever sees the session while none is under way: one whose end could not be stored is
 * still open in the log, and as good as cut off by a crash.
 */
export function lastRunOf(session: Pick<SessionState, 'openRun' | 'lastRun'>): LastRun | null {
  const { openRun, lastRun } = session;
  return openRun === null ? lastRun : { runId: openRun, outcome: 'interrupted', interrupted: true };
}

/** Usage records kept in memory; estimates look at the newest, totals are summed as they come. */
const USAGE_RECORDS_MAX = 2_048;

/** The one projection of session logs: entries in, state out. It is append-only, so a reader may keep `items` and its length. */
export class SessionProjection implements SessionState {
  readonly sessionId: SessionId;
  readonly items: Item[] = [];
  readonly usageRecords: TimedUsage[] = [];
  readonly openCalls = new Map<string, { name: string; intent: CallIntent | null }>();
  begun = false;
  systemPrompt = '';
  config: SessionConfig | null = null;
  readonly sizes = new HistorySizes();
  pruneMark = 0;
  turnCount = 0;
  calibration: Calibration | null = null;
  totals: Totals = { usage: NO_USAGE, costUsd: 0 };
  compactedFrom: SessionId | null = null;
  firstRequest: string | null = null;
  openRun: RunId | null = null;
  lastRun: LastRun | null = null;
  tracker = new FileTracker(LIMITS.trackedFiles);

  constructor(id: SessionId) {
    this.sessionId = id;
  }

  apply(entry: SessionEntry): void {
    invariant(this.begun || entry.kind === 'session_start', `${entry.kind} before session_start`);
    switch (entry.kind) {
      case 'session_start':
        invariant(!this.begun, 'a second session_start');
        invariant(entry.sessionId === this.sessionId, 'session_start of another session');
        this.begun = true;
        this.systemPrompt = entry.systemPrompt;
        this.config = entry.config;
        this.turnCount = entry.turnCount;
        this.tracker = new FileTracker(LIMITS.trackedFiles, entry.files);
        this.calibration = entry.calibration ?? null;
        this.compactedFrom = entry.compactedFrom?.sessionId ?? null;
        this.#takeOver(entry.carried ?? {});
        this.#add(entry.history);
        return;
      case 'run_start':
        invariant(this.openRun === null, `run ${entry.runId} began while another is open`);
        this.openRun = entry.runId;
        return;
      case 'user_input':
        this.firstRequest ??= textOf(entry.item);
        this.#add([entry.item]);
        return;
      case 'injected_items':
      case 'assistant_items':
      case 'tool_results':
        this.#add(entry.items);
        return;
      case 'call_started': {
        const call = this.openCalls.get(entry.callId);
        invariant(call !== undefined, `call_started of ${entry.callId}, which is not open`);
        call.intent = entry.intent;
        return;
      }
      case 'turn_end':
        this.turnCount = entry.turnCount;
        return;
      case 'llm_usage':
        this.#addUsage(entry.record, entry.at);
        return;
      case 'config_changed':
        this.config = entry.config;
        return;
      case 'prune_marked':
        this.pruneMark = entry.index;
        return;
      case 'run_yielded':
        invariant(this.openRun === entry.runId, `run ${entry.runId} yielded, it was not open`);
        return;
      case 'run_outcome':
        invariant(this.openRun === entry.runId, `run ${entry.runId} ended, it was not open`);
        this.openRun = null;
        this.lastRun = {
          runId: entry.runId,
          outcome: entry.outcome,
          interrupted: entry.interrupted,
        };
        return;
      default:
        assertNever(entry, 'SessionProjection.apply');
    }
  }

  #add(items: readonly Item[]): void {
    for (const item of items) {
      this.items.push(deepFreeze(item));
      this.sizes.add(item);
      if (item.type === 'tool_call') {
        invariant(!this.openCalls.has(item.callId), `call ${item.callId} came twice`);
        this.openCalls.set(item.callId, { name: item.name, intent: null });
      } else if (item.type === 'tool_result') {
        invariant(this.openCalls.delete(item.callId), `a result for ${item.callId}, not open`);
        this.tracker.apply(item.files ?? []);
      }
    }
  }

  #takeOver({ openRun, lastRun, firstRequest, totals }: CarriedOver): void {
    this.openRun = openRun ?? null;
    this.lastRun = lastRun ?? null;
    this.firstRequest = firstRequest ?? null;
    this.totals = totals ?? this.totals;
  }

  #addUsage(record: UsageRecord, at: number): void {
    const { usage, costUsd } = this.totals;
    this.totals = { usage: addUsage(usage, record), costUsd: costUsd + (record.costUsd ?? 0) };
    this.usageRecords.push({ sent: this.#sentWith(record), ...record, at });
    if (this.usageRecords.length > USAGE_RECORDS_MAX) this.usageRecords.shift();
  }

  // For records of before they told it themselves.
  #sentWith({ historyLen }: UsageRecord): SentBytes {
    const items = this.sizes.bytesAt(historyLen, this.pruneMark);
    return { constant: Buffer.byteLength(this.systemPrompt), items, passing: 0 };
  }
}

function textOf(item: Item): string {
  if (item.type !== 'message') return '';
  return item.content.map((part) => (part.type === 'text' ? part.text : part.refusal)).join('');
}

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value) as unknown[])
    if (typeof part === 'object' && part !== null && !Object.isFrozen(part)) deepFreeze(part);
  return Object.freeze(value);
}
