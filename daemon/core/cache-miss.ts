import type { Usage } from '../../protocol/report.ts';
import type { TimedUsage } from './entry.ts';
import type { ReadonlySizes } from './history-sizes.ts';

/** What is known of a request and the one before it in its session. */
export type CacheFacts = {
  /** The last one that was answered; null for the session's first. */
  readonly previous: TimedUsage | null;
  readonly isCompacted: boolean;
  readonly sizes: ReadonlySizes;
  readonly pruneMark: number;
  readonly model: string;
  /** Bytes of prompt and tools. */
  readonly constant: number;
  /** Index of the first item that was sent otherwise before, if any was. */
  readonly changedAt: number | null;
};

/** Why the provider read less from its cache than it had of the request before (CACHE-3); null: it did not. */
export function cacheMiss({ cacheRead }: Usage, facts: CacheFacts): string | null {
  const { previous, sizes, pruneMark, constant, changedAt } = facts;
  if (previous === null) return facts.isCompacted ? 'compacted' : 'first_request';
  if (cacheRead >= previous.cacheRead + previous.cacheWrite) return null;
  const { historyLen, sent } = previous;
  if (sent !== undefined && sizes.bytesAt(historyLen, pruneMark) !== sent.items) return 'pruned';
  if (previous.model !== undefined && previous.model !== facts.model) return 'changed_at_item_0';
  if (sent !== undefined && sent.constant !== constant) return 'changed_at_item_0';
  // All is as it was sent before: the provider keeps it for minutes only, or had no room.
  return changedAt === null ? 'expired' : `changed_at_item_${changedAt}`;
}
