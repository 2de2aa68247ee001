import type { EventData } from '../../../protocol/events.ts';
import { showCount } from './numbers.ts';
import { oneLine } from './style.ts';

type Sizes = { readonly tokensBefore: number; readonly tokensAfter: number };

/** `compacted: 31,200 → 9,400 tokens`. */
export function describeCompacted({ tokensBefore, tokensAfter }: Sizes): string {
  return `compacted: ${showCount(tokensBefore)} → ${showCount(tokensAfter)} tokens`;
}

export function describeFailed({ message, disabled }: EventData<'compaction_failed'>): string {
  const off = disabled ? '; nothing is compacted by itself until podctl compact succeeds' : '';
  return `! the compaction failed: ${oneLine(message, 500)}${off}`;
}
